/** A protobuf message as its fields: number to values in order. Varints are bigints, all else is bytes. */
export type ReadMessage = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

/** Reads the wire format by its specification; shares nothing with the writer in bench/peers. */
export function readMessage(bytes: Uint8Array): ReadMessage {
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  let at = 0;
  const take = (count: number): Uint8Array => {
    if (at + count > bytes.length)
      throw new Error(`${count} bytes wanted at ${at} of ${bytes.length}`);
    at += count;
    return bytes.subarray(at - count, at);
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(take(1)[0] as number);
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const values = fields.get(number) ?? [];
    fields.set(number, values);
    const wireType = Number(tag & 7n);
    if (wireType === 0) values.push(varint());
    else if (wireType === 2) values.push(take(Number(varint())));
    else if (wireType === 5) values.push(take(4));
    else if (wireType === 1) values.push(take(8));
    else throw new Error(`wire type ${wireType} in field ${number}`);
  }
  return fields;
}
