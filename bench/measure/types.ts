import type { AdapterFacts } from '../../src/gpu/facts';
import type { IsaResults } from '../isa/types';
import type { PeerResult as Contended } from '../peers/types';

/** What a measurement is of; the report has a part for each. */
export type Section =
  | 'overhead'
  | 'peak'
  | 'kernels'
  | 'first layer'
  | 'ladder'
  | 'layers'
  | 'whole';

/** Where times come from: the GPU's own clock round each dispatch, or the page's round a whole submit. */
export type Clock = 'timestamps' | 'wall clock';

/** What was timed, once per run, after one warm-up. */
export interface Measurement {
  readonly section: Section;
  /** What belongs together within a section, such as the rungs of one ladder. */
  readonly group?: string;
  readonly name: string;
  readonly clock: Clock;
  /** Milliseconds of each run. */
  readonly runs: readonly number[];
  /** Times that a run did the work, to be long enough; `runs` are already divided by it. Absent: once. */
  readonly repeats?: number;
  /** Images, masks or maps in a run, where there are several. */
  readonly batch?: number;
  /** Floating-point operations of a run, 2 a multiply-add. */
  readonly flop?: number;
  /** True where `flop` is what a direct convolution would need, and fewer were done (Winograd). */
  readonly asDirect?: boolean;
  /** Bytes of a run if every tensor were read or written just once. */
  readonly bytes?: number;
  /** Milliseconds that counting predicts for a GPU of the peak measured (bench/isa/predict.ts). */
  readonly predicted?: number;
  /** Median milliseconds of each kernel in a run, where there are several. */
  readonly kernels?: readonly { readonly kernel: string; readonly ms: number }[];
  readonly note?: string;
}

/** GFLOP/s and GB/s. */
export interface Peak {
  readonly gflops: number;
  readonly gbps: number;
}

/** What exact skipping left of one layer's work (docs/skipping.md). */
export interface LayerShare {
  readonly layer: string;
  /** Share of its multiply-adds that masks reach, over all masks. */
  readonly reached: number;
}

export interface SkippingFacts {
  /** Whether the library did skip on this adapter and for these masks; unknown without timestamp queries. */
  readonly applied?: boolean;
  /** Of the convolutions' multiply-adds, over all of them. */
  readonly reached: number;
  readonly layers: readonly LayerShare[];
}

/** One library, timed by the peers' code on the same task; the first is this one. What a report reads of it. */
export type PeerResult = Omit<Contended, 'name' | 'adapter' | 'warmUp'> & { readonly name: string };

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Browser with its version, or Dawn in Node. */
  readonly runtime: string;
  readonly platform: string;
}

/** What the measuring code knows of where it runs. */
export interface GpuFacts extends AdapterFacts {
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/** What the measuring code hands over; {@link BenchFile} adds where it ran. */
export interface Measured {
  readonly clock: Clock;
  readonly runs: number;
  readonly adapter: GpuFacts;
  readonly peak: Peak;
  readonly results: readonly Measurement[];
  readonly skipping?: SkippingFacts;
}

export const FORMAT = 'score-cam-webgpu bench 2';

/** A file of results. */
export interface BenchFile extends Measured {
  readonly format: typeof FORMAT;
  readonly date: string;
  readonly machine: Machine;
  /** What the card's data sheet says, as given on the command line. */
  readonly stated?: Partial<Peak>;
  /** The peers' code lists them under either name. */
  readonly peers?: {
    readonly results?: readonly PeerResult[];
    readonly contenders?: readonly PeerResult[];
  };
  /** The kernels as compiled for GPUs that need not be there. */
  readonly isa?: IsaResults;
}
