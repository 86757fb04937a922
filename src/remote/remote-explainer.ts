import { ScoreCamError } from '../errors';
import type { Measurable, MeasureOptions, Measures } from '../evaluation/types';
import { checked } from '../explain/check';
import type { DrawOptions } from '../explain/draw';
import type { ExplainOptions } from '../explain/explain-options';
import { Explanation } from '../explain/explanation';
import type { Weighting } from '../explain/methods/options';
import { CALLBACKS, EXPLAIN } from '../explain/option-rules';
import { imageData } from '../explain/pixels';
import type { Callbacks, ClassScore, ImageSource } from '../explain/types';
import type { Explainer, ModelFacts } from '../explainer-api';
import type { ConvTuning } from '../plan/tuning-types';
import { type Connection, during } from './connection';
import type { Line } from './line';
import type { SentExplanation, State, WorkerCalls } from './protocol';
import { sentImage } from './sent-image';

/** A model on a GPU, in a worker. */
export class RemoteExplainer implements Explainer {
  readonly model: ModelFacts;
  readonly tuning: ConvTuning | undefined;
  private readonly connection: Connection;
  /** Tells the worker of explanations that nobody has any more. */
  private readonly registry: FinalizationRegistry<number>;

  constructor(
    connection: Connection,
    { model, tuning }: { model: ModelFacts; tuning: ConvTuning | undefined },
  ) {
    this.model = model;
    this.tuning = tuning;
    this.connection = connection;
    this.registry = new FinalizationRegistry((id) => connection.line.tell('forget', id));
  }

  get adapter(): State['adapter'] {
    return (this.connection.state as State).adapter;
  }

  get prepared(): Promise<void> {
    // Nothing is told of a line that has ended.
    return this.connection.line.call('prepared').catch(() => {});
  }

  get memory(): State['memory'] {
    return (this.connection.state as State).memory;
  }

  async classify(image: ImageSource, callbacks: Callbacks = {}): Promise<ClassScore[]> {
    const own = await checked(CALLBACKS, callbacks);
    const { line } = this.connection;
    return during(this.connection, own, async (task) =>
      line.call('classify', task, await sentImage(image, own.signal)),
    );
  }

  async explain(source: ImageSource, options: ExplainOptions = {}): Promise<Explanation> {
    const { signal, onProgress, onPreview, ...sent } = await checked(EXPLAIN, options);
    const listeners = { signal, onProgress, onPreview };
    const { line } = this.connection;
    const answer = await during(this.connection, listeners, async (task) =>
      line.call('explain', task, await sentImage(source, signal), sent),
    );
    return this.explanation(answer);
  }

  async measure(subject: Measurable, options: MeasureOptions = {}): Promise<Measures> {
    const { signal, onProgress, ...sent } = options;
    const own = await checked(CALLBACKS, { signal, onProgress });
    const { map, class: score, image, options: made } = subject;
    const plain = { map, class: score, image, options: made };
    const { line } = this.connection;
    return during(this.connection, own, (task) => line.call('measure', task, plain, sent));
  }

  /** @internal What a worker has sent, as the page knows it. */
  explanation(sent: SentExplanation): Explanation {
    const explanation = new RemoteExplanation(this, this.connection.line, sent);
    this.registry.register(explanation, sent.id);
    return explanation;
  }

  dispose(): void {
    const { line } = this.connection;
    line.tell('dispose');
    line.end(new ScoreCamError('disposed', 'This explainer was disposed of; create a new one.'));
  }
}

/** Its run is in the worker, which is asked for whatever takes the GPU. */
class RemoteExplanation extends Explanation {
  private readonly explainer: RemoteExplainer;
  private readonly line: Line<WorkerCalls>;
  private readonly id: number;

  constructor(explainer: RemoteExplainer, line: Line<WorkerCalls>, sent: SentExplanation) {
    super({ ...sent.findings, labels: explainer.model.labels }, sent.class, sent.result);
    this.explainer = explainer;
    this.line = line;
    this.id = sent.id;
  }

  override async forClass(wanted: number | string): Promise<Explanation> {
    return this.explainer.explanation(await this.line.call('forClass', this.id, wanted));
  }

  override async withWeighting(weighting: Weighting): Promise<Explanation> {
    return this.explainer.explanation(await this.line.call('withWeighting', this.id, weighting));
  }

  override async overlay(options: DrawOptions = {}): Promise<ImageData> {
    const { DRAW } = await import('../explain/draw');
    const own = await checked(DRAW, options);
    return imageData(await this.line.call('overlay', this.id, own));
  }
}
