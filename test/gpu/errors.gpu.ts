import { Gpu } from '../../src/gpu/gpu';
import type { Dispatch } from '../../src/gpu/kernel';
import { softmax } from '../../src/kernels/layers/softmax';
import softmaxText from '../../src/kernels/layers/softmax.wgsl?raw';
import type { GpuCase } from '../harness/case';
import { expectError, expectSame } from '../harness/expect';

/*
 * Implementations tell errors differently, by other names and at other moments; ours name kernel, layer and line in all
 * of them.
 */

function softmaxOf(gpu: Gpu, label: string, probabilities?: GPUBuffer): Dispatch {
  return softmax({
    label,
    logits: { buffer: gpu.upload('logits', new Float32Array(4)) },
    probabilities: { buffer: probabilities ?? gpu.createBuffer('probabilities', 16) },
    rows: 1,
    classes: 4,
  });
}

/** Of the sum in softmax.wgsl. */
const LINE = softmaxText.split('\n').findIndex((own) => own.includes('total += exp')) + 1;

/** The kernel with that line replaced. */
async function edited(dispatch: Dispatch, by: string): Promise<Dispatch> {
  const { kernel } = dispatch;
  const text = (await kernel.text()).map(([file, start, own]) => {
    const lines = own.split('\n');
    if (file === 'softmax.wgsl' && lines[LINE - start] !== undefined) lines[LINE - start] = by;
    return [file, start, lines.join('\n')] as const;
  });
  return { ...dispatch, kernel: { ...kernel, text: () => text, name: `wrong: ${by}` } };
}

export const cases: GpuCase[] = [
  {
    name: 'a fault in a shader is told by kernel, file and line',
    async run(gpu) {
      const notes: string[] = [];
      for (const [by, reason] of [
        ['let wrong = ;', /expected expression|missing initializer/],
        ['let wrong = exp(nothing);', /unresolved value 'nothing'|identifier: `nothing`/],
        ['let wrong: f32 = 1u;', /u32/],
        ['return 1.0;', /return/],
      ] as const) {
        const { message } = await expectError(
          async () => gpu.submit('a batch', [await edited(softmaxOf(gpu, 'broken'), by)]),
          'kernel',
          `Kernel wrong: ${by} (broken) did not compile: softmax.wgsl:${LINE}: `,
        );
        // Lines that a compiler quotes have numbers of the linked text.
        if (!reason.test(message) || /[\n│┌]/.test(message)) throw new Error(message);
        notes.push(message);
      }
      return notes.join('\n');
    },
  },
  {
    name: 'a pipeline that cannot be is told by kernel and layer',
    async run(gpu) {
      const dispatch = softmaxOf(gpu, 'broken');
      const { kernel } = dispatch;
      const bindings = kernel.bindings.filter(({ access }) => access !== 'read_write');
      const { message } = await expectError(
        () =>
          gpu.submit('a batch', [{ ...dispatch, kernel: { ...kernel, bindings, name: 'lame' } }]),
        'kernel',
        'Kernel lame (broken) did not compile: ',
      );
      if (!/binding/i.test(message)) throw new Error(message);
      return message;
    },
  },
  {
    name: 'of many dispatches the one that is refused is named',
    async run(gpu) {
      const { device } = gpu;
      const foreign = (usage: number): GPUBuffer =>
        device.createBuffer({ label: 'foreign', size: 64, usage });
      const gone = foreign(GPUBufferUsage.STORAGE);
      const broken = (buffer?: GPUBuffer): Dispatch => softmaxOf(gpu, 'broken', buffer);
      const faults: Record<string, Dispatch> = {
        'a buffer of another usage': broken(foreign(GPUBufferUsage.COPY_DST)),
        'a buffer that was destroyed': broken(gone),
        'too many workgroups': { ...broken(), workgroups: [65536, 1, 1] },
      };
      gone.destroy();
      const fine = softmaxOf(gpu, 'fine');
      const notes: string[] = [];
      for (const [what, dispatch] of Object.entries(faults)) {
        const { message } = await expectError(
          () => gpu.submit('a batch', [fine, dispatch, fine]),
          'kernel',
          'a batch: softmax (broken): ',
        );
        notes.push(`${what}: ${message.split('\n')[0]}`);
      }
      // The device is as good as before.
      await gpu.submit('a batch', [fine]);
      const { buffer } = fine.buffers.probabilities as GPUBufferBinding;
      expectSame('softmax of zeros', [...(await gpu.read(buffer))], [0.25, 0.25, 0.25, 0.25]);
      return notes.join('\n');
    },
  },
  {
    name: 'a buffer larger than the device allows is refused',
    async run(gpu) {
      await expectError(
        async () => gpu.createBuffer('huge', 2 ** 40),
        'limit',
        'Buffer "huge" needs 1099511627776 bytes, this device allows',
      );
      return undefined;
    },
  },
  {
    name: 'an adapter that gives no device is told, with its reason',
    async run() {
      const adapter = await navigator.gpu.requestAdapter();
      if (!adapter) throw new Error('no adapter');
      const first = await adapter.requestDevice();
      try {
        // By the standard an adapter gives one device; wgpu's gives more.
        const second = await adapter.requestDevice().catch(() => undefined);
        if (second) {
          second.destroy();
          return 'an adapter gives several devices';
        }
        const refused = await expectError(
          () => Gpu.create({ adapter }),
          'no-adapter',
          "The GPU's adapter gives no device (",
        );
        if (!(refused.cause instanceof Error)) throw new Error(`the cause is ${refused.cause}`);
        return refused.message;
      } finally {
        first.destroy();
      }
    },
  },
];
