import type { AdapterFacts, Box, Measures, Metric, Passes } from '../../src/index';
import type { Annotated } from '../annotations/types';
import type { Picture } from '../picture';
import type { MethodSpec } from './specs';

/** An image to explain: a scene of the project by its seed, or a file. */
export type Subject =
  | { readonly kind: 'scene'; readonly seed: number; readonly objects?: 1 | 2 }
  | {
      readonly kind: 'file';
      readonly name: string;
      readonly base64: string;
      /** Empty for the likeliest class. Boxes are in pixels of the file. */
      readonly objects: readonly Annotated[];
    };

/** What is asked of one image. */
export interface Asked {
  readonly index: number;
  readonly label: string;
  /** In pixels of the network's input. */
  readonly box?: Box;
  readonly otherBoxes: readonly Box[];
}

export interface EvaluationJob {
  readonly spec: MethodSpec;
  readonly metrics: readonly Metric[];
  readonly steps: number;
  /** Whether pictures of the maps are wanted. */
  readonly pictures: boolean;
}

/** One map, measured; or why there is none. */
export interface Row {
  readonly image: string;
  readonly class: number;
  readonly label: string;
  readonly method: string;
  readonly refused?: string;
  /** Of the whole explanation; for an image's further classes, of what was run anew. */
  readonly milliseconds?: number;
  /** Whether this is the image's first class, whose time and passes are a whole explanation's. */
  readonly first?: boolean;
  readonly passes?: Passes;
  readonly measures?: Measures;
  /** Pearson's correlation with Score-CAM's map, where that was made before; absent where either is flat. */
  readonly agreement?: number;
}

/** A row with the PNG of its overlay, in base64. */
export type PicturedRow = Row & { readonly picture?: Picture };

/** What an evaluation, or a part of it, was computed by. */
export interface Run {
  readonly model: string;
  readonly adapter: AdapterFacts;
  /** Such as `Chrome/140.0.7339.80`. */
  readonly browser: string;
}

/** Spearman's correlation of a map with that of the model whose last layers were drawn anew. */
export interface SanityPoint {
  readonly method: string;
  /** The earliest layer that was drawn anew. */
  readonly layer: string;
  readonly layers: number;
  /** null where a map was flat. */
  readonly correlation: number | null;
}
