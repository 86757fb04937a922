/// Runs in headless Chrome: drives the library's public API for the commands in cli/*.ts. What goes in
/// and out is JSON; bytes travel as base64.
import {
  type AdapterFacts,
  type ChannelCounts,
  type ClassScore,
  createExplainer,
  type Explainer,
  type ExplainOptions,
  type Explanation,
  type Progress,
  ScoreCamError,
  type Timings,
} from '../src/index';
import { type CheckOptions, type CheckResult, checkModel } from './check';
import type { AskedClass } from './options';

export interface Opened {
  readonly adapter: AdapterFacts;
  readonly model: Explainer['model'];
}

export interface ExplainRequest {
  /** At least one; further classes are read off the same run. */
  readonly classes: readonly AskedClass[];
  readonly layer?: string | undefined;
  readonly method?: string | undefined;
  readonly weighting?: string | undefined;
  readonly channels?: readonly number[] | undefined;
}

/** One class's results. Bytes are base64: PNG files, and little-endian f32. */
export interface ClassResult {
  readonly class: ClassScore;
  readonly weights: readonly number[];
  readonly map: { readonly width: number; readonly height: number; readonly flat: boolean };
  readonly mapMilliseconds: number;
  readonly mapBytes: string;
  readonly overlay: string;
  readonly heatmap: string;
}

export interface ExplainResult {
  readonly top: readonly ClassScore[];
  readonly layer: string;
  readonly method: string;
  readonly weighting: string;
  readonly channels: ChannelCounts;
  readonly timings: Timings;
  readonly scoresBytes: string;
  readonly classes: readonly ClassResult[];
}

/** What a call resolves to: errors are told apart by their code, which exceptions would lose. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly message: string };

declare global {
  interface Window {
    /** Made by the Node side. */
    onStep(progress: Progress | CheckStep): void;
    scoreCam: PageApi;
  }
}

type CheckStep = Parameters<NonNullable<CheckOptions['onProgress']>>[0];

let image: Blob | undefined;
let explainer: Explainer | undefined;

const onProgress = (progress: Progress | CheckStep): void => window.onStep(progress);

const api = {
  /** Takes the image, first of all: whether it is one is known before any weight is read. */
  async takeImage(base64: string, name: string): Promise<void> {
    const bytes = await fetch(`data:application/octet-stream;base64,${base64}`);
    image = new File([await bytes.blob()], name);
    try {
      (await createImageBitmap(image)).close();
    } catch {
      throw new ScoreCamError(
        'image',
        `${name} (${image.size} bytes) is no image that Chrome can decode: give a PNG or JPEG.`,
      );
    }
  },

  async open(model: string): Promise<Opened> {
    explainer = await createExplainer({ model, onProgress });
    return { adapter: explainer.adapter, model: explainer.model };
  },

  async explain(request: ExplainRequest): Promise<ExplainResult> {
    const { classes, ...options } = request;
    const [first, ...others] = classes;
    const main = await opened().explain(image as Blob, {
      ...(options as ExplainOptions),
      class: first,
      onProgress,
    });
    const explanations = [main];
    for (const other of others) {
      const index = other === 'auto' ? (main.top[0]?.index as number) : other;
      if (explanations.some((explanation) => explanation.class.index === index)) continue;
      explanations.push(await main.forClass(index));
    }
    const { top, layer, method, weighting, channels, timings, scores } = main;
    return {
      top,
      layer,
      method,
      weighting,
      channels,
      timings,
      scoresBytes: await base64(scores),
      classes: await Promise.all(explanations.map(classResult)),
    };
  },

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

async function classResult(explanation: Explanation): Promise<ClassResult> {
  const { map, weights, timings } = explanation;
  return {
    class: explanation.class,
    weights: [...weights],
    map: { width: map.width, height: map.height, flat: map.flat },
    mapMilliseconds: timings.map,
    mapBytes: await base64(map.data),
    overlay: await png(explanation, 0.5),
    heatmap: await png(explanation, 1),
  };
}

async function png(explanation: Explanation, opacity: number): Promise<string> {
  const canvas = new OffscreenCanvas(1, 1);
  await explanation.draw(canvas, { opacity });
  return base64(await canvas.convertToBlob({ type: 'image/png' }));
}

/** Base64 of a blob's bytes or of floats, which every machine with a browser keeps little-endian. */
function base64(data: Blob | Float32Array): Promise<string> {
  const blob = data instanceof Blob ? data : new Blob([data as Float32Array<ArrayBuffer>]);
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ''));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function guarded<Args extends unknown[], T>(
  work: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<Outcome<T>> {
  return async (...args) => {
    try {
      return { ok: true, value: await work(...args) };
    } catch (error) {
      const code = error instanceof ScoreCamError ? error.code : 'defect';
      return { ok: false, code, message: error instanceof Error ? error.message : String(error) };
    }
  };
}

window.scoreCam = Object.fromEntries(
  Object.entries(api).map(([name, work]) => [name, guarded(work as () => Promise<unknown>)]),
) as unknown as PageApi;
