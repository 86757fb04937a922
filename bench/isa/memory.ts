import { createRequire } from 'node:module';

/*
 * Calls into C, and memory laid out as C does: the little that Vulkan needs. Every argument is 8 bytes or a u32, so
 * that pointers and handles are the same here: bigints.
 */

/** The little that is used of the package koffi, which is there after the first use of the bench's own packages. */
interface Koffi {
  load(path: string): {
    func(name: string, result: string, args: readonly string[]): (...args: unknown[]) => number;
  };
  alloc(type: string, count: number): unknown;
  address(pointer: unknown): bigint;
  view(pointer: unknown, bytes: number): ArrayBuffer;
  proto(name: string, result: string, args: readonly string[]): unknown;
  decode(address: bigint, type: unknown): (...args: unknown[]) => number;
}

const koffi = createRequire(import.meta.url)('koffi') as Koffi;

export interface Memory {
  readonly address: bigint;
  readonly view: DataView;
}

/** Zeros. They are never freed: who needs them lives as long as its process. */
export function memory(bytes: number): Memory {
  const pointer = koffi.alloc('uint8_t', bytes);
  const view = new DataView(koffi.view(pointer, bytes));
  new Uint8Array(view.buffer).fill(0);
  return { address: koffi.address(pointer), view };
}

export function bytes(data: Uint8Array): Memory {
  const own = memory(data.length);
  new Uint8Array(own.view.buffer).set(data);
  return own;
}

/** A number is a u32, a bigint or a memory 8 bytes, a string a pointer to it; undefined is null. */
export type Field = number | bigint | Memory | string | undefined;

/** A struct, or an array of structs of the same fields: each field at a multiple of its size. */
export function struct(...fields: readonly Field[]): Memory {
  let end = 0;
  const places = fields.map((field) => {
    const size = typeof field === 'number' ? 4 : 8;
    const at = Math.ceil(end / size) * size;
    end = at + size;
    return at;
  });
  const own = memory(8 * Math.max(1, Math.ceil(end / 8)));
  fields.forEach((field, i) => {
    const at = places[i] as number;
    if (typeof field === 'number') own.view.setUint32(at, field, true);
    else own.view.setBigUint64(at, eightBytes(field), true);
  });
  return own;
}

function eightBytes(field: Exclude<Field, number>): bigint {
  if (field === undefined) return 0n;
  if (typeof field === 'string') return bytes(Buffer.from(`${field}\0`)).address;
  return typeof field === 'bigint' ? field : field.address;
}

/** Text up to its first zero. */
export function textAt({ view }: Memory, at: number, most: number): string {
  const own = Buffer.from(view.buffer, view.byteOffset + at, most);
  const end = own.indexOf(0);
  return own.toString('utf8', 0, end < 0 ? most : end);
}

/** Arguments of a function of C: u32 as numbers, everything else as bigints or memories. */
export type Argument = number | bigint | Memory | undefined;
export type Call = (...args: readonly Argument[]) => number;

type Types = readonly ('u32' | 'u64')[];

const typesOf = (args: Types): string[] => args.map((own) => (own === 'u32' ? 'uint32' : 'uint64'));
const passed = (own: Argument): number | bigint =>
  typeof own === 'object' ? own.address : (own ?? 0n);

/** The functions of a shared library. @throws Error where it cannot be loaded */
export function library(path: string): (name: string, args: Types, result?: string) => Call {
  const loaded = koffi.load(path);
  return (name, args, result = 'int') => {
    const call = loaded.func(name, result, typesOf(args));
    return (...given) => call(...given.map(passed));
  };
}

/** The function at an address. */
export function functionAt(address: bigint, name: string, args: Types): Call {
  const call = koffi.decode(address, koffi.proto(name, 'int', typesOf(args)));
  return (...given) => call(...given.map(passed));
}

/** Writes over code of this process. @throws Error where memory cannot be made writable */
export function overwrite(address: bigint, code: Uint8Array): void {
  const libc = library('libc.so.6');
  const page = address & ~4095n;
  // Read, write and execute; two pages, since code may go on in the next.
  if (libc('mprotect', ['u64', 'u64', 'u32'])(page, 8192n, 7) !== 0) {
    throw new Error(`The memory at 0x${page.toString(16)} stays read-only.`);
  }
  libc('memcpy', ['u64', 'u64', 'u64'], 'void')(address, bytes(code), BigInt(code.length));
}
