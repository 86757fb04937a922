/// Runs where WebGPU is (cli/hosts): drives the library's public API for the commands in cli/*.ts. What goes in and out
/// is JSON; bytes travel as base64.

import { progressMeter, type Step } from '../src/explain/progress';
import {
  type AdapterFacts,
  type ChannelCounts,
  type ClassScore,
  createExplainer,
  type Description,
  type Explainer,
  type ExplainOptions,
  type Explanation,
  type LayerMagnitude,
  loadModel,
  METHODS,
  type Method,
  type NumberOption,
  type Passes,
  ScoreCamError,
  type Timings,
} from '../src/index';
import { base64, base64Of, bytesOf } from './base64';
import { type CheckOptions, type CheckResult, checkModel } from './check';
import { compare } from './comparison';
import { messageOf } from './error-text';
import { argue } from './evaluation/argue';
import type { Argument } from './evaluation/argument';
import { gallery } from './evaluation/gallery';
import { evaluate } from './evaluation/in-page';
import { sanity } from './evaluation/sanity';
import { saturated } from './evaluation/saturated';
import type { SaturatedScene } from './evaluation/saturation-report';
import type { MethodSpec } from './evaluation/specs';
import { takeSubject } from './evaluation/subject';
import type { EvaluationJob, PicturedRow, SanityPoint, Subject } from './evaluation/types';
import type { FileKind } from './explanation/file-kinds';
import type { AskedClass } from './options';
import { hasCanvas, overlayOf, type Picture } from './picture';

export interface Opened {
  readonly adapter: AdapterFacts;
  readonly model: Explainer['model'];
}

export interface ExplainRequest {
  /** At least one; further classes are read off the same run. */
  readonly classes: readonly AskedClass[];
  readonly layers: readonly string[];
  /** At least one; each runs anew. */
  readonly methods: readonly Method[];
  /** Each goes to the methods that take it. */
  readonly options: {
    readonly weighting?: string | undefined;
    readonly alignCorners?: boolean | undefined;
    readonly baseline?: string | undefined;
    readonly of?: string | undefined;
    readonly channels?: readonly number[] | undefined;
    readonly validate?: boolean | undefined;
  } & Readonly<Partial<Record<NumberOption, number>>>;
  /** What else than figures comes back. */
  readonly files: readonly FileKind[];
}

/** One class's results, with what was asked for. Bytes are base64: little-endian f32. */
export interface ClassResult {
  readonly class: ClassScore;
  readonly weights: readonly number[];
  readonly map: { readonly width: number; readonly height: number; readonly flat: boolean };
  readonly mapMilliseconds: number;
  readonly mapBytes: string | undefined;
  readonly overlay: Picture | undefined;
  readonly heatmap: Picture | undefined;
}

/** One method's results. */
export interface MethodResult {
  readonly layer: string;
  readonly method: Method;
  /** null for methods without weightings. */
  readonly weighting: string | null;
  /** null for methods without gradients. */
  readonly of: string | null;
  readonly channels: ChannelCounts;
  /** All that were run, those for further classes too. */
  readonly passes: Passes;
  /** Of each layer's output for the unmasked image. */
  readonly magnitudes: readonly LayerMagnitude[];
  readonly timings: Timings;
  /** Empty for methods without masked passes, or where scores were not asked for. */
  readonly scoresBytes: string;
  readonly classes: readonly ClassResult[];
}

/** A method that gave no result, and why. */
export interface MethodFailure {
  readonly method: Method;
  readonly message: string;
}

export interface ExplainResult {
  readonly top: readonly ClassScore[];
  /** In the order asked for, without those that failed; at least one. */
  readonly methods: readonly MethodResult[];
  readonly failed: readonly MethodFailure[];
  /**
   * PNG with all methods side by side; undefined for a single one, where it was not asked for, and where there is no canvas
   * to draw it on.
   */
  readonly comparison: string | undefined;
}

/** What a call resolves to: errors are told apart by their code, which exceptions would lose. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly message: string };

let image: Blob | ImageData | undefined;
let explainer: Explainer | undefined;
let address: string | undefined;
/** Set by {@link pageApi}. */
let onProgress = (_: Step): void => {};

const api = {
  /** Takes the image, first of all: whether it is one is known before any weight is read. */
  async takeImage(base64: string, name: string): Promise<void> {
    const file = new File([bytesOf(base64)], name);
    try {
      (await createImageBitmap(file)).close();
    } catch {
      throw new ScoreCamError(
        'image',
        `${name} (${file.size} bytes) is no image that this browser can decode: give a PNG or JPEG.`,
      );
    }
    image = file;
  },

  /** The same of what Node has decoded, for hosts that decode nothing themselves. */
  takePixels({ width, height, rgba }: Picture): void {
    image = { width, height, data: new Uint8ClampedArray(bytesOf(rgba)), colorSpace: 'srgb' };
  },

  async open(model: string, said: Description = {}): Promise<Opened> {
    explainer = await createExplainer({ model, ...said, onProgress });
    address = model;
    return { adapter: explainer.adapter, model: explainer.model };
  },

  async explain({
    classes,
    layers,
    methods,
    options,
    files,
  }: ExplainRequest): Promise<ExplainResult> {
    const results: Explanation[][] = [];
    const methodResults: MethodResult[] = [];
    const failed: MethodFailure[] = [];
    for (const method of methods) {
      const { options: taken, usesLayer } = METHODS[method];
      const own = Object.entries(options).filter(([name]) => name in taken);
      try {
        const explanations = await explainClasses(classes, {
          ...(Object.fromEntries(own) as ExplainOptions),
          layer: usesLayer ? layers : undefined,
          method,
        });
        methodResults.push(await methodResult(explanations, files));
        results.push(explanations);
      } catch (error) {
        // What others have found is not lost; if this is the last and none has, nothing else can be said.
        if (failed.push({ method, message: messageOf(error) }) === methods.length) throw error;
      }
    }
    const [[main]] = results as [[Explanation]];
    return {
      top: main.top,
      methods: methodResults,
      failed,
      comparison:
        results.length > 1 && files.includes('comparison') && hasCanvas()
          ? await base64Of(await compare(results))
          : undefined,
    };
  },

  async takeSubject(subject: Subject): Promise<number> {
    return takeSubject(opened(), subject);
  },

  async evaluate(job: EvaluationJob): Promise<PicturedRow[]> {
    return evaluate(opened(), job);
  },

  async sanity(address: string, specs: readonly MethodSpec[]): Promise<SanityPoint[]> {
    return sanity(opened(), address, specs, progressMeter('randomised models', onProgress));
  },

  async argue(wanted: number | undefined): Promise<Argument> {
    const load = () => loadModel(address as string);
    return argue(opened(), wanted, load, progressMeter('parts', onProgress));
  },

  async saturated(): Promise<SaturatedScene> {
    return saturated(opened());
  },

  gallery,

  async check(options: Omit<CheckOptions, 'onProgress'>): Promise<CheckResult> {
    return checkModel(opened(), { ...options, onProgress });
  },
};

export type PageApi = {
  [Name in keyof typeof api]: (
    ...args: Parameters<(typeof api)[Name]>
  ) => Promise<Outcome<Awaited<ReturnType<(typeof api)[Name]>>>>;
};

function opened(): Explainer {
  if (!explainer) throw new Error('open() comes first');
  return explainer;
}

/** One method's explanations: one a class, none twice. */
async function explainClasses(
  [first, ...others]: readonly AskedClass[],
  options: ExplainOptions,
): Promise<Explanation[]> {
  const main = await opened().explain(image as Blob | ImageData, {
    ...options,
    class: first,
    onProgress,
  });
  const explanations = [main];
  for (const other of others) {
    const index = other === 'auto' ? (main.top[0]?.index as number) : other;
    if (explanations.some((explanation) => explanation.class.index === index)) continue;
    explanations.push(await main.forClass(index));
  }
  return explanations;
}

async function methodResult(
  explanations: readonly Explanation[],
  files: readonly FileKind[],
): Promise<MethodResult> {
  const [{ layer, method, weighting, of, channels, magnitudes, timings, scores }] =
    explanations as [Explanation];
  const sum = (one: (passes: Passes) => number): number =>
    explanations.reduce((total, { passes }) => total + one(passes), 0);
  return {
    layer,
    method,
    weighting: weighting ?? null,
    of: of ?? null,
    channels,
    passes: {
      forward: sum(({ forward }) => forward),
      backward: sum(({ backward }) => backward),
      head: sum(({ head }) => head),
    },
    magnitudes,
    timings,
    scoresBytes: files.includes('scores') ? base64(scores) : '',
    classes: await Promise.all(explanations.map((one) => classResult(one, files))),
  };
}

async function classResult(
  explanation: Explanation,
  files: readonly FileKind[],
): Promise<ClassResult> {
  const { map, weights, timings } = explanation;
  return {
    class: explanation.class,
    weights: [...weights],
    map: { width: map.width, height: map.height, flat: map.flat },
    mapMilliseconds: timings.map,
    mapBytes: files.includes('map') ? base64(map.data) : undefined,
    overlay: files.includes('overlay') ? await overlayOf(explanation) : undefined,
    heatmap: files.includes('heatmap') ? await overlayOf(explanation, 1) : undefined,
  };
}

function guarded<Args extends unknown[], T>(
  work: (...args: Args) => Promise<T> | T,
): (...args: Args) => Promise<Outcome<T>> {
  return async (...args) => {
    try {
      return { ok: true, value: await work(...args) };
    } catch (error) {
      const code = error instanceof ScoreCamError ? error.code : 'defect';
      return { ok: false, code, message: messageOf(error) };
    }
  };
}

/** The functions, each of which resolves to an outcome. @param onStep hears of their progress */
export function pageApi(onStep: (step: Step) => void): PageApi {
  onProgress = onStep;
  return Object.fromEntries(
    Object.entries(api).map(([name, work]) => [name, guarded(work as () => Promise<unknown>)]),
  ) as unknown as PageApi;
}
