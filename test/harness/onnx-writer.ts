/** Small ONNX files, written by the field numbers of onnx.proto. */
import { type Fields, float, integer, message, nested, text } from '../../bench/peers/protobuf';
import { elementCount } from '../../src/model/weight-source';

type Bytes = Uint8Array<ArrayBuffer>;

/** A number with a point is a float, all others are integers. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface WrittenNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export interface WrittenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type?: number;
  /** Of its type; f32 unless given as bytes. Absent: zeros. */
  readonly values?: readonly number[] | Uint8Array;
  /** Of INT64. */
  readonly integers?: readonly number[];
  readonly external?: Readonly<Record<string, string>>;
}

export interface WrittenModel {
  readonly nodes: readonly WrittenNode[];
  readonly tensors?: readonly WrittenTensor[];
  /** Of the input `x`; 0 is open. */
  readonly shape?: readonly number[];
  readonly inputType?: number;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly opset?: number;
}

export function node(
  operator: string,
  inputs: string,
  output: string,
  attributes: Readonly<Record<string, Attribute>> = {},
): WrittenNode {
  const names = inputs.split(' ').map((name) => (name === '-' ? '' : name));
  return { operator, inputs: names, outputs: [output], attributes, name: `the ${output}` };
}

export function writeOnnx({
  nodes,
  tensors = [],
  shape = [1, 3, 8, 8],
  inputType = 1,
  inputs = ['x'],
  outputs = ['y'],
  opset = 13,
}: WrittenModel): Bytes {
  const sizes = shape.map((size) =>
    nested(1, ...(size > 0 ? [integer(1, size)] : [text(2, 'open')])),
  );
  const type = nested(2, nested(1, integer(1, inputType), nested(2, ...sizes)));
  return message(
    integer(1, 8),
    nested(
      7,
      ...nodes.map((one) => nested(1, writeNode(one))),
      ...tensors.map((tensor) => nested(5, writeTensor(tensor))),
      ...inputs.map((name) => nested(11, text(1, name), type)),
      ...outputs.map((name) => nested(12, text(1, name))),
    ),
    nested(8, integer(2, opset)),
  ).slice();
}

function writeNode({
  operator,
  inputs,
  outputs,
  name,
  domain,
  attributes = {},
}: WrittenNode): Fields {
  return message(
    ...inputs.map((input) => text(1, input)),
    ...outputs.map((output) => text(2, output)),
    ...(name ? [text(3, name)] : []),
    text(4, operator),
    ...(domain ? [text(7, domain)] : []),
    ...Object.entries(attributes).map(([key, value]) =>
      nested(5, text(1, key), ...attribute(value)),
    ),
  );
}

function attribute(value: Attribute): Fields[] {
  if (typeof value === 'string') return [text(4, value), integer(20, 3)];
  if (typeof value === 'number') return [integer(3, value), integer(20, 2)];
  return 'float' in value
    ? [float(2, value.float), integer(20, 1)]
    : [...value.map((each) => integer(8, each)), integer(20, 7)];
}

function writeTensor({ name, shape, type, values, integers, external }: WrittenTensor): Fields {
  const bytes =
    values instanceof Uint8Array
      ? values
      : integers
        ? new Uint8Array(BigInt64Array.from(integers, BigInt).buffer)
        : new Uint8Array(
            Float32Array.from(values ?? new Array(elementCount(shape)).fill(0)).buffer,
          );
  return message(
    ...shape.map((size) => integer(1, size)),
    integer(2, type ?? (integers ? 7 : 1)),
    text(8, name),
    ...(external
      ? [
          ...Object.entries(external).map(([key, value]) =>
            nested(13, text(1, key), text(2, value)),
          ),
          integer(14, 1),
        ]
      : [message(Uint8Array.of(8 * 9 + 2), length(bytes.length), bytes)]),
  );
}

/** A length as a varint. */
function length(value: number): Fields {
  return integer(1, value).subarray(1);
}
