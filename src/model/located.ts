import type { ByteSource, OpenSibling } from './bytes/byte-source';
import type { Description } from './description';
import type { WeightCache } from './keep/cache';
import type { Manifest } from './manifest';
import type { Network } from './network';
import type { WeightSource } from './weight-source';

/** A network with its numbers at hand: everything but the GPU. */
export interface Model {
  readonly manifest: Manifest;
  readonly network: Network;
  readonly weights: WeightSource;
}

/**
 * Where weights are, if not where the manifest says: an address, a file, or the files that belong
 * together (an index or model.json and its shards).
 */
export type WeightsLocation = string | URL | Blob | readonly File[];

/**
 * A network: a preset, or a file by its address or itself: a manifest, ONNX, a TensorFlow.js model.json. Of several files, one
 * is the network, the others are what it names.
 */
export type ModelLocation = WeightsLocation;

/** What is said of a network's input and classes counts more than what its file says. */
export interface OpenOptions extends Description {
  readonly signal?: AbortSignal | undefined;
  readonly weights?: WeightsLocation | undefined;
  /**
   * Milliseconds to wait before each further try when a server fails or the connection breaks off, for as
   * many tries; a byte that comes starts the list over. Default: five tries, from 0.5 to 8 s.
   */
  readonly retryDelays?: readonly number[] | undefined;
}

export interface LocateOptions extends OpenOptions {
  /** Stands in for a manifest whose server cannot be reached. */
  readonly cache?: WeightCache | undefined;
}

/** A model that is known but whose weights are not opened yet. */
export interface LocatedModel {
  readonly manifest: Manifest;
  readonly network: Network;
  /** What tells its weights from others', to keep them by; undefined where they are made up or a file. */
  readonly identity: string | undefined;
  /** URL of the manifest, if it has one. */
  readonly address?: string | undefined;
  open(): Promise<WeightSource>;
}

/** Reads a network's file, with those beside it, however it is opened. */
export type OpenNetwork = (
  read: (file: ByteSource, sibling: OpenSibling) => Promise<WeightSource>,
) => Promise<WeightSource>;
