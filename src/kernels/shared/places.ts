import type { Slice } from '../../gpu/kernel';
import all from './places_all.wgsl?raw';
import listed from './places_listed.wgsl?raw';

/*
 * Some places of a batch (tiles or patches, counted image by image) instead of all of them: what exact skipping
 * computes. docs/skipping.md.
 */

/** A list of places on the GPU, u32. */
export interface Places {
  readonly list: Slice;
  readonly count: number;
}

/** Both forms of a kernel that goes over places. */
export interface ByPlaces<T> {
  readonly all: T;
  readonly listed: T;
}

/** What differs between them: the name's ending, the text in front, and one binding at the end. */
export interface PlacesForm {
  readonly ending: '' | '_listed';
  readonly prefix: string;
  readonly storage: readonly { readonly name: string; readonly access: 'read' }[];
}

/** The form that goes over listed places only. @param bindings of the kernel: the list's is the next */
export function listedPlaces(bindings: number): PlacesForm {
  const declaration = `@group(0) @binding(${bindings}) var<storage, read> places: array<u32>;\n`;
  return {
    ending: '_listed',
    prefix: declaration + listed,
    storage: [{ name: 'places', access: 'read' }],
  };
}

/**
 * @param bindings of the kernel, the uniform counted: the list's is the next
 * @param define gets each form
 */
export function byPlaces<T>(bindings: number, define: (form: PlacesForm) => T): ByPlaces<T> {
  return {
    all: define({ ending: '', prefix: all, storage: [] }),
    listed: define(listedPlaces(bindings)),
  };
}
