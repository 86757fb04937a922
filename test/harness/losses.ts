import { createExplainer, type Explainer, type Explanation } from '../../src/index';
import { expectSame } from './expect';
import { smallImage, smallModel } from './small-model';

/** A device that is lost in each phase of a run, however it is lost. */

/** A pause that previews take, so that some of them come while passes still run. */
export const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

export const deviceOf = (explainer: Explainer): GPUDevice =>
  (explainer as unknown as { runner: { gpu: { device: GPUDevice } } }).runner.gpu.device;

/** Does away with a device, before it returns. */
export type Lose = (device: GPUDevice) => void;

export const destroy: Lose = (device) => device.destroy();

/** Loses the explainer's device right behind its `at`-th submit whose label matches, or the first pipeline asked for. */
export function loseAt(
  explainer: Explainer,
  label: RegExp | 'compile',
  at = 1,
  lose = destroy,
): { wasLost(): boolean } {
  const device = deviceOf(explainer);
  const { queue } = device;
  const submit = queue.submit.bind(queue);
  let found = 0;
  if (label === 'compile') {
    const compile = device.createComputePipelineAsync.bind(device);
    device.createComputePipelineAsync = (descriptor) => {
      const pipeline = compile(descriptor);
      if (found++ === 0) lose(device);
      return pipeline;
    };
    return { wasLost: () => found > 0 };
  }
  queue.submit = (buffers) => {
    const all = [...buffers];
    submit(all);
    if (!all.some((buffer) => label.test(buffer.label)) || ++found !== at) return undefined;
    lose(device);
    return undefined;
  };
  return { wasLost: () => found >= at };
}

export const bitsOf = (values: Float32Array): string =>
  new Uint32Array(values.buffer, values.byteOffset, values.length).join();

export function expectSameBits(what: string, actual: Explanation, expected: Explanation): void {
  for (const name of ['weights', 'scores'] as const) {
    expectSame(`${what}: ${name}`, bitsOf(actual[name]), bitsOf(expected[name]));
  }
  expectSame(`${what}: map`, bitsOf(actual.map.data), bitsOf(expected.map.data));
}

type Work = (explainer: Explainer) => Promise<Explanation>;
export const scoreCam: Work = (explainer) => explainer.explain(smallImage());
const withPreviews: Work = (explainer) => explainer.explain(smallImage(), { onPreview: soon });

/** By a submit of it. */
export interface Phase {
  readonly name: string;
  readonly label: RegExp | 'compile';
  readonly at?: number;
  readonly work?: Work;
}

const OF_SCORE_CAM: readonly Phase[] = [
  { name: 'the forward pass', label: /^forward/ },
  { name: 'finding tiles', label: /^tiles that masks reach/ },
  { name: 'compiling', label: 'compile' },
  { name: 'a batch of masked passes', label: /^passes/ },
  { name: 'the head', label: /^head/ },
  { name: 'the map', label: /^map$/ },
];

export const PHASES: readonly Phase[] = [
  ...OF_SCORE_CAM,
  ...OF_SCORE_CAM.map((phase) => ({
    ...phase,
    name: `${phase.name}, with previews`,
    work: withPreviews,
  })),
  { name: 'a later block, with previews', label: /^passes/, at: 4, work: withPreviews },
  { name: "a preview's map", label: /^map$/, at: 2, work: withPreviews },
  {
    name: 'the way back of Grad-CAM',
    label: /^backward/,
    work: (explainer) => explainer.explain(smallImage(), { method: 'grad-cam' }),
  },
  {
    name: 'random masks',
    label: /^passes/,
    work: (explainer) => explainer.explain(smallImage(), { method: 'rise', masks: 40 }),
  },
];

const known = new Map<Work, Explanation>();

export async function undisturbed(work: Work): Promise<Explanation> {
  const found = known.get(work);
  if (found) return found;
  const explainer = await createExplainer({ model: smallModel() });
  try {
    const explanation = await work(explainer);
    known.set(work, explanation);
    return explanation;
  } finally {
    explainer.dispose();
  }
}

/** Fails where the page hears of a promise that nobody handles, in browsers. */
async function withoutStrayRejections(work: () => Promise<void>): Promise<void> {
  const stray: unknown[] = [];
  const hear = (event: Event): void => {
    stray.push((event as PromiseRejectionEvent).reason);
  };
  globalThis.addEventListener?.('unhandledrejection', hear);
  try {
    await work();
    await soon();
  } finally {
    globalThis.removeEventListener?.('unhandledrejection', hear);
  }
  if (stray.length > 0) throw new Error(`unhandled: ${stray.join('; ')}`);
}

/**
 * Explains, loses the device in a phase of it, and compares the explanation with the undisturbed one, bit for bit.
 * @returns what `onDeviceLost` heard
 */
export async function surviveLossIn(
  { name, label, at, work = scoreCam }: Phase,
  lose = destroy,
): Promise<string> {
  const expected = await undisturbed(work);
  const told: string[] = [];
  await withoutStrayRejections(async () => {
    const onDeviceLost = (reason: string): void => void told.push(reason);
    const explainer = await createExplainer({ model: smallModel(), onDeviceLost });
    try {
      const loss = loseAt(explainer, label, at, lose);
      const actual = await work(explainer);
      if (!loss.wasLost()) throw new Error('the device was not lost');
      expectSameBits(name, actual, expected);
      // What is explained already is of use as before.
      const other = await actual.forClass(0);
      expectSame('class', other.class.index, 0);
      expectSame('overlay', (await actual.overlay()).data.length, 4 * 17 * 14);
    } finally {
      explainer.dispose();
    }
  });
  expectSame('told of', told.length, 1);
  return told[0] as string;
}
