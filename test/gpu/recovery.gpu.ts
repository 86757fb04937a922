import { Gpu } from '../../src/gpu/gpu';
import {
  createExplainer,
  type Explainer,
  type ExplainOptions,
  ScoreCamError,
} from '../../src/index';
import type { GpuCase } from '../harness/case';
import { expectError, expectSame } from '../harness/expect';
import {
  bitsOf,
  deviceOf,
  expectSameBits,
  loseAt,
  PHASES,
  scoreCam,
  soon,
  surviveLossIn,
  undisturbed,
} from '../harness/losses';
import { smallImage, smallModel } from '../harness/small-model';

/** A device that is lost at some moment of a run: the run goes on, and its result has the same bits. */

/** Runs some work and counts its passes, and the blocks they are in, whatever devices they are run on. */
async function counted<T>(
  work: () => Promise<T>,
): Promise<{ result: T; passes: number; blocks: number }> {
  const { submit, compute } = Gpu.prototype;
  let passes = 0;
  let blocks = 0;
  Gpu.prototype.submit = function (this: Gpu, label, ...rest) {
    const [, first, last] = /^passes (\d+)\.\.(\d+)$/.exec(label) ?? [];
    if (last) passes += 1 + Number(last) - Number(first);
    return submit.call(this, label, ...rest);
  };
  Gpu.prototype.compute = function (this: Gpu, label, dispatches, reads) {
    if (label.startsWith('head of passes')) blocks++;
    return compute.call(this, label, dispatches, reads);
  } as typeof compute;
  try {
    return { result: await work(), passes, blocks };
  } finally {
    Object.assign(Gpu.prototype, { submit, compute });
  }
}

const mapOf =
  (options: ExplainOptions) =>
  async (explainer: Explainer): Promise<string> => {
    const { map, weights, scores } = await explainer.explain(smallImage(), options);
    return [map.data, weights, scores].map(bitsOf).join();
  };

/** What has many passes, as a text with all of its numbers. */
const LONG: Readonly<Record<string, (explainer: Explainer) => Promise<string>>> = {
  'score-cam': mapOf({ onPreview: () => {} }),
  'ss-cam': mapOf({ method: 'ss-cam', samples: 30 }),
  'is-cam': mapOf({ method: 'is-cam', steps: 30 }),
  'group-cam': mapOf({ method: 'group-cam', layer: ['conv1', 'conv3'] }),
  rise: mapOf({ method: 'rise', masks: 40 }),
  'ablation-cam': mapOf({ method: 'ablation-cam' }),
  'recipro-cam': mapOf({ method: 'recipro-cam' }),
  measure: async (explainer) => {
    const explanation = await explainer.explain(smallImage(), { method: 'grad-cam' });
    const metrics = ['insertion', 'deletion', 'adcc'] as const;
    return JSON.stringify(await explainer.measure(explanation, { metrics, steps: 30 }));
  },
};

/** Bytes for activations and features, so few that passes are in several blocks. */
const tight = (name: string): number => (/^(ablation|recipro)/.test(name) ? 8192 : 75_000);

export const cases: readonly GpuCase[] = [
  ...Object.entries(LONG).map(
    ([name, work]): GpuCase => ({
      name: `${name} goes on from the blocks that are through`,
      usually: ['dawn'],
      async run() {
        const run = async (at?: number) => {
          const options = { model: smallModel(), memoryBudget: tight(name) };
          const explainer = await createExplainer(options);
          try {
            const loss = at === undefined ? undefined : loseAt(explainer, /^head of passes/, at);
            const done = await counted(() => work(explainer));
            if (loss?.wasLost() === false) throw new Error('the device was not lost');
            return done;
          } finally {
            explainer.dispose();
          }
        };
        const whole = await run();
        if (whole.blocks < 2) throw new Error(`${whole.blocks} blocks`);
        const disturbed = await run(whole.blocks);
        expectSame('result', disturbed.result, whole.result);
        const told = `${disturbed.passes} passes in ${disturbed.blocks} blocks, ${whole.passes} in ${whole.blocks} undisturbed`;
        // The last block is run again, and no other.
        expectSame(`blocks: ${told}`, disturbed.blocks, whole.blocks + 1);
        return told;
      },
    }),
  ),
  ...PHASES.map(
    (phase): GpuCase => ({
      name: `a device lost in ${phase.name}: the same explanation, bit for bit`,
      usually: ['dawn'],
      run: () => surviveLossIn(phase),
    }),
  ),
  {
    name: 'a compilation that fails a moment before the loss is told is no fault of the kernel',
    usually: ['dawn'],
    async run() {
      const expected = await undisturbed(scoreCam);
      const explainer = await createExplainer({ model: smallModel() });
      const device = deviceOf(explainer);
      // As when the GPU process has crashed.
      device.createComputePipelineAsync = async () => {
        setTimeout(() => device.destroy(), 20);
        throw new DOMException('The instance no longer exists.', 'OperationError');
      };
      try {
        expectSameBits('explanation', await scoreCam(explainer), expected);
        return undefined;
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: 'a device lost between runs is replaced at the next, for several at once',
    async run() {
      const expected = await undisturbed(scoreCam);
      const explainer = await createExplainer({ model: smallModel() });
      try {
        const first = await scoreCam(explainer);
        deviceOf(explainer).destroy();
        const [drawn, again, classes] = await Promise.all([
          first.overlay(),
          scoreCam(explainer),
          explainer.classify(smallImage()),
        ]);
        expectSame('overlay', drawn.width, 17);
        expectSame('classes', classes.length, 4);
        expectSameBits('again', again, expected);
        return undefined;
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: 'a device that is lost again and again is given up after the second new one',
    usually: ['dawn'],
    async run() {
      const explainer = await createExplainer({ model: smallModel() });
      const { runner } = explainer as unknown as {
        runner: { gpu: { device: GPUDevice }; forward: unknown };
      };
      const forward = (runner.forward as (...args: unknown[]) => Promise<unknown>).bind(runner);
      let tries = 0;
      runner.forward = async (...args: unknown[]) => {
        tries++;
        runner.gpu.device.destroy();
        return forward(...args);
      };
      try {
        await expectError(() => explainer.classify(smallImage()), 'device-lost', 'was lost');
        expectSame('tries', tries, 3);
        runner.forward = forward;
        expectSame('the next call', (await explainer.classify(smallImage())).length, 4);
        return undefined;
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: 'where there is no new device that is said, and the next call tries again',
    usually: ['dawn'],
    async run() {
      const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
      const device = await adapter.requestDevice();
      let offered: GPUDevice | undefined;
      const getDevice = async (): Promise<GPUDevice> => {
        if (!offered) throw new Error('none today');
        return offered;
      };
      const explainer = await createExplainer({ model: smallModel(), device, getDevice });
      try {
        const expected = await scoreCam(explainer);
        device.destroy();
        const { message } = await expectError(
          () => scoreCam(explainer),
          'device-lost',
          'none today',
        );
        // With the same features, so that the same kernels compute.
        offered = await ((await navigator.gpu.requestAdapter()) as GPUAdapter).requestDevice();
        expectSameBits('again', await scoreCam(explainer), expected);
        return message;
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: 'a device of the caller is not replaced',
    usually: ['dawn'],
    async run() {
      const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
      const device = await adapter.requestDevice();
      const told: string[] = [];
      const explainer = await createExplainer({
        model: smallModel(),
        device,
        onDeviceLost: (reason) => told.push(reason),
      });
      await scoreCam(explainer);
      device.destroy();
      await expectError(() => scoreCam(explainer), 'device-lost', 'Create a new explainer');
      explainer.dispose();
      await expectError(() => scoreCam(explainer), 'disposed', 'disposed');
      expectSame('told of', told.length, 1);
      return undefined;
    },
  },
  {
    name: 'what is disposed of while a new device comes is disposed of',
    usually: ['dawn'],
    async run() {
      const explainer = await createExplainer({ model: smallModel() });
      await scoreCam(explainer);
      deviceOf(explainer).destroy();
      const running = scoreCam(explainer);
      await soon();
      explainer.dispose();
      try {
        await running;
      } catch (error) {
        if (!(error instanceof ScoreCamError) || error.code !== 'disposed') throw error;
        return undefined;
      }
      throw new Error('the run went on');
    },
  },
];
