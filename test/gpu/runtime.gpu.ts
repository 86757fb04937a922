import { ScoreCamError } from '../../src/errors';
import { Arena } from '../../src/gpu/arena';
import { Gpu } from '../../src/gpu/gpu';
import { softmax } from '../../src/kernels/layers/softmax';
import { compile } from '../../src/plan/compile';
import type { ConvStep } from '../../src/plan/steps';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { recordConv } from '../../src/runtime/record-conv';
import type { GpuCase } from '../harness/case';
import { smallModel } from '../harness/small-model';

function expectThrown(what: string, pattern: RegExp, run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (error instanceof Error && pattern.test(error.message)) return;
    throw new Error(`${what}: ${error}, not ${pattern}`);
  }
  throw new Error(`${what} went through`);
}

/** What holds of buffers, weights and dispatches whatever is computed. */
export const cases: GpuCase[] = [
  {
    name: 'an arena takes a slice back once, and only its own',
    async run(gpu) {
      const [arena, other] = [new Arena(gpu), new Arena(gpu)];
      try {
        const slice = arena.take('twice', 64);
        arena.release(slice);
        expectThrown('a second release', /"twice" was released already/, () =>
          arena.release(slice),
        );
        // Or two tensors would share it.
        const again = arena.take('first', 64);
        if (again.buffer !== slice.buffer) throw new Error('what was released is not taken again');
        if (arena.take('second', 64).buffer === slice.buffer) throw new Error('taken twice');
        const foreign = other.take('foreign', 64);
        expectThrown('a foreign slice', /"foreign" is of no buffer of this arena/, () =>
          arena.release(foreign),
        );
      } finally {
        arena.dispose();
        other.dispose();
      }
      return undefined;
    },
  },
  {
    name: 'a submit that outlives its context leaves no uniforms on the device of a caller',
    async run({ device }) {
      const alive = new Set<GPUBuffer>();
      const { createBuffer } = device;
      device.createBuffer = (descriptor) => {
        const buffer = createBuffer.call(device, descriptor);
        const { destroy } = buffer;
        buffer.destroy = () => {
          alive.delete(buffer);
          return destroy.call(buffer);
        };
        alive.add(buffer);
        return buffer;
      };
      try {
        const own = await Gpu.create({ device });
        const logits = { buffer: own.upload('logits', new Float32Array(8)) };
        const probabilities = { buffer: own.createBuffer('probabilities', 32) };
        const dispatch = softmax({ label: 'test', logits, probabilities, rows: 1, classes: 8 });
        // The pipeline is made first, so that the next submit reaches the queue at once.
        await own.submit('before', [dispatch]);
        const running = own.submit('outlives', [dispatch]);
        while (alive.size < 3) await new Promise((resolve) => setTimeout(resolve));
        own.dispose();
        await running.catch(() => {});
        await device.queue.onSubmittedWorkDone();
        const left = [...alive].map(({ label }) => label);
        if (left.length > 0) throw new Error(`left on the device: ${left}`);
      } finally {
        device.createBuffer = createBuffer.bind(device);
      }
      return undefined;
    },
    ownDevice: true,
  },
  {
    name: 'a direct convolution refuses a list of tiles',
    async run(gpu) {
      const arena = new Arena(gpu);
      const slice = arena.take('any', 4096);
      const { network } = smallModel();
      const choose = { conv: () => ({ kind: 'direct', tiling: 'registers' }) as const };
      const step = compile(network, gpu.facts, { choose }).steps[1] as ConvStep;
      const { shape, method } = step;
      const tensors = {
        weights: slice,
        filters: undefined,
        bias: slice,
        input: slice,
        output: slice,
      };
      const places = { list: slice, count: 1 };
      const convolution = {
        label: 'listed',
        shape,
        method,
        batch: 1,
        dtype: 'f32',
        ...tensors,
      } as const;
      expectThrown('places', /"listed" is computed directly, and that lists no tiles/, () =>
        recordConv({ ...convolution, places }, arena),
      );
      if (recordConv(convolution, arena).length !== 1) throw new Error('not without places either');
      arena.dispose();
      return undefined;
    },
  },
  {
    name: 'weights laid out by one plan are refused by another that reads them otherwise',
    async run(gpu) {
      const { network, weights } = smallModel();
      const usual = compile(network, gpu.facts);
      const choose = { conv: () => ({ kind: 'direct', tiling: 'registers' }) as const };
      const direct = compile(network, gpu.facts, { choose });
      const half = compile(network, gpu.facts, { dtype: 'f16' });
      const loaded = await NetworkWeights.load(gpu, direct, weights);
      try {
        for (const { steps, other } of [
          { steps: usual.steps, other: 'f32, transformed in f32' },
          { steps: half.steps, other: 'f16' },
        ]) {
          let refused = 0;
          for (const step of steps) {
            if (step.kind !== 'conv' && step.kind !== 'linear') continue;
            try {
              if (step.kind === 'conv') loaded.conv(step);
              else loaded.linear(step);
            } catch (error) {
              if (!(error instanceof ScoreCamError && error.code === 'kernel')) throw error;
              if (!error.message.includes(step.layer.name)) throw error;
              refused++;
            }
          }
          if (refused === 0) throw new Error(`weights of ${other} were taken from f32`);
        }
        // What lies alike is read by any plan: the first convolution masks directly.
        loaded.conv(usual.steps[0] as ConvStep);
      } finally {
        loaded.dispose();
      }
      return undefined;
    },
  },
];
