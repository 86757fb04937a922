import { Arena } from '../../src/gpu/arena';
import type { DeviceFacts } from '../../src/gpu/facts';
import type { Dispatch, Slice } from '../../src/gpu/kernel';
import { MATRIX_FEATURE } from '../../src/kernels/winograd/winograd_product';
import type { Network } from '../../src/model/network';
import { IMAGE, sizeOf } from '../../src/model/network';
import type { Precision } from '../../src/numbers/dtypes';
import { maskedPasses, planBatches } from '../../src/plan/batches';
import { candidatesFor } from '../../src/plan/candidates';
import { type Choices, compile, type Plan } from '../../src/plan/compile';
import { convDevice } from '../../src/plan/device';
import { expectsBounds } from '../../src/runtime/bounds';
import { Recorder, type StepWeights } from '../../src/runtime/recorder';
import { firstLayerSubjects, kernelSubjects } from '../measure/kernels/all';
import type { Tensors } from '../measure/kernels/subject';

/*
 * What a GPU would run, recorded without one: a dispatch is plain data. Buffers have a label and a size and nothing
 * else, so that what is recorded can be counted and compiled, and never run.
 */

/**
 * WebGPU's core, with f16, and the workgroups that GPUs have: what the library asks for (src/gpu/limits.ts) of adapters that
 * allow 1024 invocations and 32 KiB or more, as those of all chips here do.
 */
export const GPU_FACTS: DeviceFacts = {
  isFallback: false,
  features: new Set(['shader-f16', 'subgroups']),
  subgroupMinSize: 32,
  subgroupMaxSize: 64,
  subgroupMatrices: [],
  maxStorageBufferBindingSize: 128 * 1024 * 1024,
  maxBufferSize: 256 * 1024 * 1024,
  maxInvocations: 288,
  maxWorkgroupStorage: 32768,
};

/** The library's default. */
export const MEMORY_BUDGET = 256 * 1024 * 1024;

/** The same with units that multiply 16x16x16 of f16 into f32, as RDNA3 lists them. */
const WITH_MATRICES: DeviceFacts = {
  ...GPU_FACTS,
  features: new Set([...GPU_FACTS.features, MATRIX_FEATURE]),
  subgroupMatrices: [{ componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 }],
};

export function onPaper(): Arena {
  return new Arena({
    createBuffer: (label, size) => ({ label, size }) as GPUBuffer,
    write: () => {},
    free: () => {},
  });
}

/** A network's weights, of which only the sizes matter. */
function weightsOnPaper(plan: Plan): StepWeights {
  const arena = onPaper();
  const slice = (label: string): Slice => arena.take(label, 4);
  return {
    plan,
    isBounded: expectsBounds(plan),
    conv: ({ layer, layout }) => ({
      layout,
      weights: slice(`${layer.name} weights`),
      bias: slice(`${layer.name} bias`),
      filters:
        'transformed' in layout && layout.transformed ? slice(`${layer.name} filters`) : undefined,
    }),
    linear: ({ layer, layout }) => ({
      layout,
      shards: layout.shards.map((shard) => ({ ...shard, weights: slice(`${layer.name} weights`) })),
      affine: slice(`${layer.name} affine`),
    }),
  };
}

export interface RecordedPasses {
  readonly plan: Plan;
  /** Masks of a batch of convolutions, and of the fully connected layers behind it. */
  readonly batch: number;
  readonly block: number;
  /** Of one batch, and of one block. */
  readonly features: readonly Dispatch[];
  readonly head: readonly Dispatch[];
}

/** Masked passes as a GPU runs them by default, nothing skipped: the dispatches of one batch. */
export function recordedPasses(
  network: Network,
  precision: Precision,
  count: number,
  choose?: Choices,
): RecordedPasses {
  const plan = compile(network, GPU_FACTS, { precision, choose });
  const { most: batch, block } = planBatches(maskedPasses(plan), count, MEMORY_BUDGET);
  const recorder = new Recorder(weightsOnPaper(plan));
  const arena = onPaper();
  const slice = (label: string, bytes: number): Slice => arena.take(label, bytes);
  const masked = {
    image: slice('image', 4 * sizeOf(network.input)),
    masks: {
      maps: slice('maps', 4 * 512 * 14 * 14),
      height: 14,
      width: 14,
      ranges: slice('ranges', 8 * 512),
      channels: new Uint32Array(count),
      alignCorners: false,
    },
    channels: slice('channels', 4 * count),
    firstMask: 0,
  };
  const features = recorder.steps(plan.features, new Map(), { batch, arena, masked });
  const last = plan.features.at(-1)?.name ?? IMAGE;
  const input = slice('features', block * (plan.features.at(-1)?.bytes.output ?? 4));
  const head = recorder.steps(plan.head, new Map([[last, input]]), { batch: block, arena });
  return { plan, batch, block, features: features.dispatches, head: head.dispatches };
}

/** Convolutions by matrix units, as far as they fit: what a tuning tries. */
const BY_MATRICES: Choices = {
  conv: (shape) =>
    candidatesFor(shape, convDevice(WITH_MATRICES, 'f16')).find(
      (method) => method.kind === 'winograd' && method.product === 'matrix',
    ),
};

/** A forward pass of one image. */
function forwardPass(
  network: Network,
  precision: Precision,
  facts = GPU_FACTS,
  choose?: Choices,
): Dispatch[] {
  const plan = compile(network, facts, { precision, choose });
  const arena = onPaper();
  const image = arena.take(IMAGE, 4 * sizeOf(network.input));
  const recorder = new Recorder(weightsOnPaper(plan));
  return recorder.steps(plan.steps, new Map([[IMAGE, image]]), { batch: 1, arena }).dispatches;
}

/** One image of most things: pipelines are the same for more. */
const SCALE = {
  peak: { gflops: 100, gbps: 5 },
  maxBindingBytes: GPU_FACTS.maxStorageBufferBindingSize,
  small: false,
};

/** Ways that software adapters compute by, and none. */
const NOT_FOR_GPUS = /registers|quads|naive/;

/** One dispatch of every kernel that a GPU runs, in every variant and tile that a network or a measurement has. */
export function gpuDispatches(network: Network): Dispatch[] {
  const passes = (['f32', 'f16'] as const).flatMap((precision) => {
    const { features, head } = recordedPasses(network, precision, 512);
    return [...features, ...head, ...forwardPass(network, precision)];
  });
  // Their transforms are those of other ways.
  const matrices = forwardPass(network, 'f16', WITH_MATRICES, BY_MATRICES).filter(({ kernel }) =>
    kernel.name.includes('matrix'),
  );
  const subjects = [...kernelSubjects, ...firstLayerSubjects]
    .filter(({ name }) => !NOT_FOR_GPUS.test(name))
    .flatMap((subject) => subject.record(onPaper() as Tensors, SCALE).run);
  return [...passes, ...matrices, ...subjects].filter(
    ({ kernel }) => !NOT_FOR_GPUS.test(kernel.name),
  );
}
