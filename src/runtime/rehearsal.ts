import type { Gpu } from '../gpu/gpu';
import type { Dispatch, Slice } from '../gpu/kernel';
import { transformFilters } from '../kernels/winograd/transformed';
import type { Plan } from '../plan/compile';
import type { ConvStep, LinearStep } from '../plan/steps';
import { expectsBounds } from './bounds';
import type { Engine } from './engine';
import type { ConvWeights, LinearWeights, NetworkWeights } from './network-weights';
import type { StepWeights } from './recorder';

/** What is done of a {@link Gpu} to it while dispatches are recorded and submitted. */
type Stage = Pick<Gpu, 'adapter' | 'facts' | 'abilities' | 'isLost'> &
  Pick<Gpu, 'createBuffer' | 'upload' | 'write' | 'free' | 'submit' | 'compute' | 'read'>;

/**
 * Words that are read, by turns, where nothing was computed. As floats they differ and are finite, so that no map is constant;
 * as counts of tiles they say that masks reach few, as those of most images do.
 */
const READ = [1, 2] as const;

/**
 * An engine for a rehearsal: what is run on it becomes dispatches, and no more, so that their kernels can be compiled. It
 * takes no memory of the GPU and no weights, and may be done while they are on their way.
 */
export class Rehearsal {
  readonly engine: Engine;
  private readonly gpu: Gpu;
  private readonly dispatches: Dispatch[];

  constructor(gpu: Gpu, plan: Plan) {
    this.gpu = gpu;
    this.dispatches = filterTransforms(plan);
    const submit = async (_: string, dispatches: readonly Dispatch[]): Promise<void> => {
      this.dispatches.push(...dispatches);
    };
    const words = (bytes = 0): Float32Array<ArrayBuffer> =>
      new Float32Array(
        Uint32Array.from({ length: bytes / 4 }, (_, i) => READ[i % 2 ? 1 : 0]).buffer,
      );
    const { adapter, facts, abilities } = gpu;
    const stage: Stage = {
      adapter,
      facts,
      abilities,
      isLost: false,
      createBuffer: (label, bytes) => paper(label, 4 * Math.ceil(bytes / 4)),
      upload: (label, data) => paper(label, data.byteLength),
      write() {},
      free() {},
      submit,
      compute: async (label, dispatches, reads) => {
        await submit(label, dispatches);
        return reads.map(({ buffer, offset = 0, size = buffer.size - offset }) =>
          words(size),
        ) as never;
      },
      read: async (buffer, count = buffer.size / 4) => words(4 * count),
    };
    // Nothing else of either is asked for.
    this.engine = { gpu: stage as Gpu, plan, weights: weightsOf(plan) as NetworkWeights };
  }

  /**
   * Compiles the kernels of what was run. Browsers do that on a few threads, in the order of the calls. So what the weights
   * wait for comes first, and then convolutions: one of them takes a thread for as long as all other kernels together.
   * @throws ScoreCamError `kernel` as {@link Gpu.compile}
   */
  async compile(): Promise<void> {
    const isFirst = ({ kernel }: Dispatch): boolean => /filters|conv/.test(kernel.name);
    const then = this.dispatches.filter((dispatch) => !isFirst(dispatch));
    await Promise.all([this.gpu.compile(this.dispatches.filter(isFirst)), this.gpu.compile(then)]);
  }
}

/** What a dispatch is recorded with and no GPU ever sees. */
const paper = (label: string, size: number): GPUBuffer => ({ label, size }) as GPUBuffer;

const slice: Slice = { buffer: paper('weights', 4) };

function filterTransforms({ steps }: Plan): Dispatch[] {
  return steps.flatMap((step) => {
    if (step.kind !== 'conv') return [];
    const { name: label, shape, layout, method } = step;
    if (!layout.transformed || method.kind === 'direct') return [];
    const { dtype } = layout;
    return [transformFilters({ label, shape, dtype, method, weights: slice, filters: slice })];
  });
}

function weightsOf(plan: Plan): StepWeights {
  return {
    plan,
    isBounded: expectsBounds(plan),
    conv: ({ layout }: Pick<ConvStep, 'layout'>): ConvWeights => ({
      layout,
      weights: slice,
      bias: slice,
      filters: layout.transformed === undefined ? undefined : slice,
    }),
    linear: ({ layout }: LinearStep): LinearWeights => ({
      layout,
      shards: layout.shards.map((shard) => ({ ...shard, weights: slice })),
      affine: slice,
    }),
  };
}
