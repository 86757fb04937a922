import { Gpu } from '../../src/gpu/gpu';
import { createExplainer, type Explainer } from '../../src/index';
import type { GpuCase } from '../harness/case';
import { expectError, expectSame } from '../harness/expect';
import { smallImage, smallModel } from '../harness/small-model';

/** GPU memory that is not there: the implementation itself refuses, a GiB in the place of what is asked for. */

const GIB = 2 ** 30;

/** A device that refuses buffers of more bytes than `most()`; undefined where even a GiB can be had. */
async function withLittleMemory(most: () => number): Promise<GPUDevice | undefined> {
  const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
  if (adapter.limits.maxBufferSize < GIB) return undefined;
  const device = await adapter.requestDevice({ requiredLimits: { maxBufferSize: GIB } });
  device.pushErrorScope('out-of-memory');
  device.createBuffer({ size: GIB, usage: GPUBufferUsage.STORAGE }).destroy();
  if (!(await device.popErrorScope())) {
    device.destroy();
    return undefined;
  }
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) =>
    create(descriptor.size > most() ? { ...descriptor, size: GIB } : descriptor);
  return device;
}

const LARGE = 'this implementation gives a GiB';

const SIZE = [48, 40] as const;
const model = () => smallModel({ width: SIZE[0], height: SIZE[1] });

async function explained(explainer: Explainer): Promise<string> {
  const { map, scores } = await explainer.explain(smallImage(...SIZE));
  return [...map.data, ...scores].join();
}

export const cases: readonly GpuCase[] = [
  {
    name: 'batches are halved until there is memory for them, and the explanation is the same',
    async run() {
      let most = GIB;
      let refused = 0;
      const device = await withLittleMemory(() => most);
      if (!device) return LARGE;
      const explainer = await createExplainer({ model: model(), device });
      try {
        let largest = 0;
        const create = device.createBuffer.bind(device);
        device.createBuffer = (descriptor) => {
          largest = Math.max(largest, descriptor.size);
          if (descriptor.size > most) refused++;
          return create(descriptor);
        };
        const expected = await explained(explainer);
        // What all masks at once take is too much.
        most = largest - 1;
        expectSame('explanation', await explained(explainer), expected);
        if (refused === 0) throw new Error('nothing was refused');
        return `${refused} refused`;
      } finally {
        explainer.dispose();
        device.destroy();
      }
    },
  },
  {
    name: 'where not even one pass fits, need and limit are told, and later runs are as good as ever',
    async run() {
      let most = GIB;
      const device = await withLittleMemory(() => most);
      if (!device) return LARGE;
      const explainer = await createExplainer({ model: model(), device });
      try {
        const expected = await explained(explainer);
        most = 1000;
        const { message } = await expectError(
          () => explained(explainer),
          'out-of-memory',
          'The GPU has no memory for',
        );
        most = GIB;
        expectSame('explanation', await explained(explainer), expected);
        return message;
      } finally {
        explainer.dispose();
        device.destroy();
      }
    },
  },
  {
    name: 'what is read back may be refused, too',
    async run() {
      let most = GIB;
      const device = await withLittleMemory(() => most);
      if (!device) return LARGE;
      const gpu = await Gpu.create({ device });
      try {
        const buffer = gpu.upload('values', Float32Array.of(1, 2, 3));
        most = 4;
        await expectError(() => gpu.read(buffer), 'out-of-memory', 'read by read values');
        most = GIB;
        expectSame('values', [...(await gpu.read(buffer))], [1, 2, 3]);
        return undefined;
      } finally {
        gpu.dispose();
        device.destroy();
      }
    },
  },
];
