/**
 * What a kernel is, on the host side.
 *
 * Every kernel is one `.wgsl` file (one entry point, `main`), one line in src/kernels/variants.ts and one `.ts` file
 * beside the shader, which exports a function that turns typed arguments into a {@link Dispatch}: plain data, no GPU
 * call. src/gpu/gpu.ts is the only place that executes dispatches. What a shader binds and what it lets the host set is
 * read from its text when it is built (vite/wgsl.ts), and declared nowhere else.
 *
 * Conventions shared by all kernels:
 * - tensors are f32, NCHW, dense, no padding; sizes that a pipeline is specialised for are `override`
 *   constants, everything that changes from batch to batch is in the uniform struct `Params`
 * - sizes of workgroups and of workgroup memory that the host decides are not overrides, which some browsers
 *   (Safari, before WebKit's PR 57042 of January 2026) take and compute wrong: `import constants::{ROWS}` makes them
 *   part of the text
 * - @group(0) only; if there is a `Params` struct it is @binding(0)
 */

/** A buffer, or an aligned part of one. */
export type Slice = GPUBufferBinding;

export type Access = 'uniform' | 'read' | 'read_write';

export interface Binding {
  /** Variable name in the WGSL. */
  readonly name: string;
  /** Its @binding number. */
  readonly binding: number;
  readonly access: Access;
}

/** One member of the uniform struct `Params`; members are 4 bytes each, in order, from offset 0. */
export interface Param {
  readonly name: string;
  readonly type: 'u32' | 'f32';
}

/** What stands at module scope, with the name of its `.wgsl` file and the line it starts at; its lines are the file's. */
export type Declaration = readonly [file: string, line: number, text: string];

/** What the host has to know of a shader. */
export interface Interface {
  readonly bindings: readonly Binding[];
  readonly params: readonly Param[];
  /** Names of the `override` constants; each dispatch gives every one a value. */
  readonly overrides: readonly string[];
  /** Names of what it imports from `constants::`, u32; the same. */
  readonly constants: readonly string[];
}

export interface Kernel extends Interface {
  /** Of the `.wgsl` file, without its ending, and of the variant; appears in every label and error. */
  readonly name: string;
  readonly text: KernelText;
}

/** What a device compiles, directives first; fetched where it is not at hand. */
export type KernelText = () => readonly Declaration[] | Promise<readonly Declaration[]>;

/** What `import source from './name.wgsl'` gives: all variants that the table has. */
export interface KernelSource {
  readonly file: string;
  /** The kernel's name, its interface by interface_code.ts, and its text. */
  readonly variants: readonly (readonly [name: string, code: string, text: KernelText])[];
}

/** One dispatch of one kernel: everything the runtime needs to encode it. */
export interface Dispatch {
  readonly kernel: Kernel;
  /** Shown in labels, errors and profiles: usually the layer's name. */
  readonly label: string;
  /** Values of overrides and constants alike, by name. */
  readonly constants: Readonly<Record<string, number>>;
  /** Values of the uniform struct, by member name. */
  readonly params: Readonly<Record<string, number>>;
  /** Storage buffers by WGSL name. */
  readonly buffers: Readonly<Record<string, Slice>>;
  readonly workgroups: readonly [number, number, number];
}
