/// What ONNX needs of the protobuf wire format: a message is its fields, one after the other, each a tag
/// (number and wire type) and a value. https://protobuf.dev/programming-guides/encoding

/** One encoded field, or several. */
export type Fields = Uint8Array;

const WIRE_VARINT = 0;
const WIRE_LENGTH_DELIMITED = 2;
const WIRE_FIXED32 = 5;

export function message(...fields: readonly Fields[]): Fields {
  const bytes = new Uint8Array(fields.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const field of fields) {
    bytes.set(field, at);
    at += field.length;
  }
  return bytes;
}

/** An int32, int64 or enum that is not negative. */
export function integer(number: number, value: number): Fields {
  return message(tag(number, WIRE_VARINT), varint(value));
}

export function float(number: number, value: number): Fields {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return message(tag(number, WIRE_FIXED32), bytes);
}

export function text(number: number, value: string): Fields {
  return nested(number, new TextEncoder().encode(value));
}

/** A message within a message. */
export function nested(number: number, ...fields: readonly Fields[]): Fields {
  const content = message(...fields);
  return message(tag(number, WIRE_LENGTH_DELIMITED), varint(content.length), content);
}

function tag(number: number, wireType: number): Fields {
  return varint(8 * number + wireType);
}

/** Seven bits a byte, the lowest first; the eighth says that more follow. Beyond 32 bits, so no shifts. */
function varint(value: number): Fields {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new Error(`${value} is no whole number from 0 to 2^53 - 1: it has no varint here.`);
  }
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
