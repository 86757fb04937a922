/**
 * What a kernel is, on the host side.
 *
 * Every kernel is one `.wgsl` file (one entry point, `main`) and one `.ts` file beside it. The `.ts`
 * file declares what the shader binds (`defineKernel`; test/reflection.test.ts proves the declaration
 * against the WGSL) and exports one function that turns typed arguments into a {@link Dispatch}:
 * plain data, no GPU call. src/gpu/gpu.ts is the only place that executes dispatches.
 *
 * Conventions shared by all kernels:
 * - tensors are f32, NCHW, dense, no padding; sizes that a pipeline is specialised for are `override`
 *   constants, everything that changes from batch to batch is in the uniform struct `Params`
 * - @group(0) only; if there is a `Params` struct it is @binding(0)
 */

/** A buffer, or an aligned part of one. */
export type Slice = GPUBufferBinding;

export type Access = 'uniform' | 'read' | 'read_write';

export interface Binding {
  /** Variable name in the WGSL; its index in `bindings` is its @binding number. */
  readonly name: string;
  readonly access: Access;
}

/** One member of the uniform struct `Params`; members are 4 bytes each, in order, from offset 0. */
export interface Param {
  readonly name: string;
  readonly type: 'u32' | 'f32';
}

export interface Kernel {
  /** Name of the `.wgsl` file, without its ending; appears in every label and error. */
  readonly name: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** Names of the `override` constants; each dispatch gives every one a value. */
  readonly overrides: readonly string[];
  readonly params: readonly Param[];
}

/**
 * How workgroups follow from a number of places (tiles or patches): `workgroupsOf`.
 */
export interface GridRule {
  /** Places that are taken together; the last ones may be fewer. */
  readonly together: number;
  /** Items of work in each of those. */
  readonly items: number;
  /** Items of a workgroup. */
  readonly size: number;
  /** Workgroups in y and in z: a number, or `MORE` in the one where those go on that x has no room for. */
  readonly y: number;
  readonly z: number;
}

/** One dispatch of one kernel: everything the runtime needs to encode it. */
export interface Dispatch {
  readonly kernel: Kernel;
  /** Shown in labels, errors and profiles: usually the layer's name. */
  readonly label: string;
  readonly constants: Readonly<Record<string, number>>;
  /** Values of the uniform struct, by member name. */
  readonly params: Readonly<Record<string, number>>;
  /** Storage buffers by WGSL name. */
  readonly buffers: Readonly<Record<string, Slice>>;
  readonly workgroups: readonly [number, number, number];
}

export interface KernelDeclaration {
  readonly name: string;
  readonly code: string;
  readonly params?: readonly Param[];
  /** Storage bindings in binding order (after `params`, when there are any). */
  readonly storage: readonly { readonly name: string; readonly access: 'read' | 'read_write' }[];
  readonly overrides?: readonly string[];
}

export function defineKernel(declaration: KernelDeclaration): Kernel {
  const params = declaration.params ?? [];
  const uniform: Binding[] = params.length > 0 ? [{ name: 'params', access: 'uniform' }] : [];
  return {
    name: declaration.name,
    code: declaration.code,
    bindings: [...uniform, ...declaration.storage],
    overrides: declaration.overrides ?? [],
    params,
  };
}
