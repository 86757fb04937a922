/** ONNX files: damaged anywhere, and with fields that say something else. */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { message, nested } from '../../bench/peers/protobuf';
import { memorySource } from '../../src/model/bytes/byte-source';
import { elementCount } from '../../src/model/weight-source';
import { folderOpener, onnxFolder, openOnnx } from '../harness/onnx-fixtures';
import { type ReadMessage, readMessage } from '../harness/protobuf-reader';
import { damaged } from './mutations';
import { answersOrRefuses, target } from './target';

type Bytes = Uint8Array<ArrayBuffer>;

/** The file, a tensor, a layer or an option. */
const NAMES = /file\.onnx|Network "onnx"|The file "|opset21\.bin/;

const FILES = [...onnxFolder].filter(([name]) => name.endsWith('.onnx')).map(([, bytes]) => bytes);

/** Reads the network and all of its weights; what is stored as f32 is what an independent reading finds there. */
async function openWhole(bytes: Bytes): Promise<void> {
  const { model } = await openOnnx(memorySource('file.onnx', bytes), folderOpener(onnxFolder), {});
  const known = rawTensors(bytes);
  for (const [name, { shape, dtype }] of model.weights.tensors) {
    await answersOrRefuses(async () => {
      const values = await model.weights.read(name, 0, elementCount(shape));
      if (values.length !== elementCount(shape)) throw new Error(`${name} has ${values.length}`);
      const stored = known.get(name);
      if (!stored || dtype !== 'F32' || stored.dims.join() !== shape.join()) return;
      deepStrictEqual(new Uint8Array(values.buffer), stored.raw);
    }, NAMES);
  }
}

/** Initialisers by name: dims 1, name 8, raw_data 9 (bench/peers/onnx.ts says where the numbers are from). */
function rawTensors(bytes: Bytes): Map<string, { dims: bigint[]; raw: Bytes }> {
  const tensors = new Map<string, { dims: bigint[]; raw: Bytes }>();
  const graph = readMessage(bytes).get(7)?.at(-1) as Uint8Array;
  for (const initialiser of readMessage(graph).get(5) ?? []) {
    const tensor = readMessage(initialiser as Uint8Array);
    const name = new TextDecoder().decode(
      (tensor.get(8)?.at(-1) as Uint8Array) ?? new Uint8Array(0),
    );
    const raw = tensor.get(9)?.at(-1);
    if (raw instanceof Uint8Array) {
      tensors.set(name, { dims: (tensor.get(1) ?? []) as bigint[], raw: raw.slice() });
    }
  }
  return tensors;
}

/** A message with the messages in it; fields of four bytes are marked. */
type Tree = { field: number; value: bigint | Uint8Array | Tree; isFixed?: boolean }[];
type Nesting = { readonly [field: number]: Nesting | 'fixed' };

const TENSOR: Nesting = { 13: {} };
const INFO: Nesting = { 2: { 1: { 2: { 1: {} } } } };
const MODEL: Nesting = {
  7: { 1: { 5: { 2: 'fixed', 5: TENSOR } }, 5: TENSOR, 11: INFO, 12: INFO },
  8: {},
};

function treeOf(fields: ReadMessage, nesting: Nesting): Tree {
  return Array.from(fields, ([field, values]) =>
    values.map((value) => {
      const within = nesting[field];
      if (within === 'fixed') return { field, value, isFixed: true };
      const isMessage = within && value instanceof Uint8Array;
      return { field, value: isMessage ? treeOf(readMessage(value), within) : value };
    }),
  ).flat();
}

function encoded(tree: Tree): Uint8Array {
  return message(
    ...tree.map(({ field, value, isFixed }) => {
      if (Array.isArray(value)) return nested(field, encoded(value));
      if (typeof value === 'bigint') {
        return message(varint(BigInt(8 * field)), varint(BigInt.asUintN(64, value)));
      }
      return isFixed && value.length === 4
        ? message(varint(BigInt(8 * field + 5)), value)
        : nested(field, value);
    }),
  );
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

const TREES = FILES.map((bytes) => treeOf(readMessage(bytes), MODEL));

/** Every list of fields with the place of each leaf in it. */
function leavesOf(tree: Tree): [Tree, number][] {
  return tree.flatMap(({ value }, i) =>
    Array.isArray(value) ? leavesOf(value) : [[tree, i] as [Tree, number]],
  );
}

const EDGES = [0, 1, 2, 3, 4, 7, 8, 12, 64, 4096, 65536, 2 ** 31, 2 ** 40, -1, -2].map(BigInt);
const OPERATORS = [
  'Relu',
  'Clip',
  'Mul',
  'Add',
  'Concat',
  'MaxPool',
  'Transpose',
  'Reshape',
  'Flatten',
  'Pad',
  'Softmax',
  'Loop',
];

const fieldEdit = fc.record({
  which: fc.nat(2 ** 30),
  to: fc.oneof(
    fc.record({ number: fc.constantFrom(...EDGES) }),
    fc.record({
      text: fc.constantFrom('', 'input', 'image', 'toString', '__proto__', ...OPERATORS),
    }),
    fc.record({ another: fc.nat(2 ** 30) }),
    fc.constantFrom('removed' as const, 'twice' as const),
  ),
});

type FieldEdit = typeof fieldEdit extends fc.Arbitrary<infer Edit> ? Edit : never;

function edited(original: Tree, edits: readonly FieldEdit[]): Bytes {
  const tree = structuredClone(original);
  for (const { which, to } of edits) {
    const leaves = leavesOf(tree);
    const [holder, i] = leaves[which % leaves.length] as [Tree, number];
    const leaf = holder[i] as Tree[number];
    if (to === 'removed') holder.splice(i, 1);
    else if (to === 'twice') holder.push(leaf);
    else if ('another' in to) {
      const alike = leaves.filter(([of, at]) => typeof of[at]?.value === typeof leaf.value);
      const [of, at] = alike[to.another % alike.length] as [Tree, number];
      leaf.value = (of[at] as Tree[number]).value;
    } else leaf.value = 'number' in to ? to.number : new TextEncoder().encode(to.text);
  }
  return encoded(tree).slice();
}

const fields = fc
  .tuple(fc.constantFrom(...TREES), fc.array(fieldEdit, { minLength: 1, maxLength: 3 }))
  .map(([tree, edits]) => edited(tree, edits));

export const ONNX = [
  target('onnx', 3, damaged(...FILES), NAMES, openWhole),
  target('onnx-fields', 3, fields, NAMES, openWhole),
];
