import type { Measurable, MeasureOptions, Measures } from '../evaluation/types';
import type { DrawOptions } from '../explain/draw';
import type { ExplainOptions } from '../explain/explain-options';
import type { ExplainerOptions } from '../explain/explainer-options';
import type { Findings, Result } from '../explain/explanation';
import type { Weighting } from '../explain/methods/options';
import type { Pixels } from '../explain/pixels';
import type { Callbacks, ClassScore, Progress } from '../explain/types';
import type { Explainer, ModelFacts } from '../explainer-api';
import type { Model, WeightsLocation } from '../model/model';
import type { TensorFacts } from '../model/weight-source';
import type { ConvTuning } from '../plan/tuning-types';

/* What the two threads ask of each other. All of it is data that can be cloned. */

/** By this name a worker knows that it is one of this library's. */
export const WORKER_NAME = 'score-cam-webgpu';

/** Work that may be aborted and tells of its progress. */
export interface Task {
  readonly id: number;
  /** Whether anybody listens. */
  readonly progress: boolean;
  readonly preview: boolean;
}

/** An image as it travels. Its bitmap, if it is one, is the receiver's to close. */
export type SentImage = ImageBitmap | ImageData | Pixels | Blob | string;

export interface SentExplanation {
  /** What the worker keeps it by, until it is told that nobody has it any more. */
  readonly id: number;
  readonly findings: Omit<Findings, 'labels'>;
  readonly class: ClassScore;
  readonly result: Result;
}

/** A model that is in the page's memory: the page reads its weights to the worker. */
export interface SentModel extends Pick<Model, 'manifest' | 'network'> {
  readonly weights: {
    readonly name: string;
    readonly tensors: ReadonlyMap<string, TensorFacts>;
    /** Whether it can check itself. */
    readonly verify: boolean;
  };
}

export interface SentOptions
  extends Omit<
    ExplainerOptions,
    | keyof Callbacks
    | 'worker'
    | 'device'
    | 'getDevice'
    | 'onDeviceLost'
    | 'model'
    | 'cache'
    | 'tuningCache'
  > {
  readonly model: Exclude<WeightsLocation, URL> | SentModel;
  /** The page's, and whether it knows what fits. */
  readonly cache: { readonly fits: boolean } | undefined;
  /** Whether the page keeps what is measured. */
  readonly keepsTuning: boolean;
}

export type SentExplainOptions = Omit<ExplainOptions, keyof Callbacks | 'onPreview'>;

/** What changes while an explainer lives. */
export type State = Pick<Explainer, 'adapter' | 'memory'>;

/** What a page asks of its worker. Before an answer the worker tells its `state`. */
export interface WorkerCalls {
  create(
    task: Task,
    options: SentOptions,
  ): Promise<{ readonly model: ModelFacts; readonly tuning: ConvTuning | undefined }>;
  classify(task: Task, image: SentImage): Promise<ClassScore[]>;
  explain(task: Task, image: SentImage, options: SentExplainOptions): Promise<SentExplanation>;
  measure(
    task: Task,
    subject: Measurable,
    options: Omit<MeasureOptions, keyof Callbacks>,
  ): Promise<Measures>;
  forClass(explanation: number, wanted: number | string): Promise<SentExplanation>;
  withWeighting(explanation: number, weighting: Weighting): Promise<SentExplanation>;
  overlay(explanation: number, options: DrawOptions): Promise<Pixels>;
  /** Nobody has the explanation any more. */
  forget(explanation: number): void;
  abort(task: number): void;
  prepared(): Promise<void>;
  dispose(): void;
}

/** What a worker asks of its page, or tells it. */
export interface PageCalls {
  state(state: State): void;
  progress(task: number, progress: Progress): void;
  preview(task: number, preview: SentExplanation): void;
  deviceLost(reason: string): void;
  matchCache(key: string): Promise<ArrayBuffer | undefined>;
  putCache(key: string, bytes: ArrayBuffer): Promise<void>;
  deleteCache(key: string): Promise<void>;
  fitsCache(bytes: number): Promise<boolean>;
  getTuning(key: string): Promise<string | null | undefined>;
  putTuning(key: string, value: string): Promise<void>;
  readWeights(name: string, start: number, count: number): Promise<Float32Array<ArrayBuffer>>;
  verifyWeights(): Promise<void>;
  closeWeights(): Promise<void>;
}
