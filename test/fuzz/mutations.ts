/** Damage to files that were right: of bytes, and of JSON by its values. Every edit can be applied to any file. */
import fc from 'fast-check';

type Bytes = Uint8Array<ArrayBuffer>;

/** Numbers at which something overflows, or begins. */
const EDGES = [0, 1, 2, 63, 64, 65, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** Of any file: its head, its tail, anywhere. */
const place = fc.oneof(
  fc.nat(40),
  fc.nat(1000),
  fc.nat(200).map((n) => -1 - n),
  fc.nat(2 ** 30),
);

const byteEdit = fc.oneof(
  fc.record({ kind: fc.constant('flip'), at: place, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant('number'),
    at: place,
    size: fc.constantFrom(1, 2, 4, 8),
    value: fc.constantFrom(...EDGES),
  }),
  fc.record({ kind: fc.constant('cut'), at: place }),
  fc.record({ kind: fc.constant('remove'), at: place, length: fc.nat(64) }),
  fc.record({ kind: fc.constant('insert'), at: place, bytes: fc.uint8Array({ maxLength: 16 }) }),
  fc.record({ kind: fc.constant('copy'), at: place, from: place, length: fc.nat(256) }),
);

type ByteEdit = typeof byteEdit extends fc.Arbitrary<infer Edit> ? Edit : never;

/** Up to four edits of one of the files; none leaves it right. */
export const damaged = (...files: readonly Bytes[]): fc.Arbitrary<Bytes> =>
  fc
    .tuple(fc.constantFrom(...files), fc.array(byteEdit, { maxLength: 4 }))
    .map(([file, edits]) => edits.reduce(edited, file));

function edited(bytes: Bytes, edit: ByteEdit): Bytes {
  const { length } = bytes;
  if (length === 0) return bytes;
  const index = (place: number): number => ((place % length) + length) % length;
  const at = index(edit.at);
  const spliced = (removed: number, added: Uint8Array): Bytes => {
    const result = new Uint8Array(Math.max(0, length - removed) + added.length);
    result.set(bytes.subarray(0, at));
    result.set(added, at);
    result.set(bytes.subarray(at + removed), at + added.length);
    return result;
  };
  if ('bit' in edit) {
    const result = bytes.slice();
    result[at] = (bytes[at] as number) ^ (1 << edit.bit);
    return result;
  }
  if ('value' in edit) {
    const number = new Uint8Array(BigUint64Array.of(BigInt(edit.value)).buffer, 0, edit.size);
    const result = bytes.slice();
    result.set(number.subarray(0, length - at), at);
    return result;
  }
  if ('bytes' in edit) return spliced(0, edit.bytes);
  if ('from' in edit) {
    const from = index(edit.from);
    return spliced(0, bytes.subarray(from, from + edit.length));
  }
  return 'length' in edit
    ? spliced(Math.min(edit.length, length - at), new Uint8Array(0))
    : bytes.slice(0, at);
}

const DEEP = 50_000;

/** JSON that may stand where anything else should; as text, since nobody can write the deep ones. */
const strange = fc.oneof(
  fc.constantFrom('null', 'true', '""', '[]', '{}', '[0]', '-0', '-1', '0.5', '1e999', '1e15'),
  fc.constantFrom(...EDGES, 2 ** 53 - 1, 2 ** 53).map(String),
  fc.constantFrom(
    '"__proto__"',
    '"toString"',
    '"../up"',
    '"http://a.b/"',
    '"\\ud800"',
    '"\\u0000"',
  ),
  fc.constantFrom(
    `"${'long '.repeat(20_000)}"`,
    `[${'1,'.repeat(20_000)}1]`,
    `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`,
  ),
  fc.json({ maxDepth: 2 }),
);

const jsonEdit = fc.record({
  which: fc.nat(2 ** 30),
  to: fc.oneof(
    fc.record({ value: strange }),
    fc.record({ key: fc.constantFrom('__proto__', 'constructor', '', 'dtype', 'name') }),
    fc.constant({ removed: true } as const),
  ),
});

type JsonEdit = typeof jsonEdit extends fc.Arbitrary<infer Edit> ? Edit : never;

/** Text of one of the values with up to three of its members, however deep, replaced, renamed or removed. */
export const damagedJson = (...values: readonly unknown[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...values), fc.array(jsonEdit, { maxLength: 3 }))
    .map(([value, edits]) => editedJson(value, edits));

type Members = Record<string, unknown>;

function editedJson(original: unknown, edits: readonly JsonEdit[]): string {
  const root = { root: structuredClone(original) };
  const replacements: string[] = [];
  for (const { which, to } of edits) {
    const members = membersOf(root);
    const [holder, name] = members[which % members.length] as [Members, string];
    if ('value' in to) holder[name] = `\u0001${replacements.push(to.value) - 1}`;
    else if (holder === root) continue;
    else {
      const held = holder[name];
      if (Array.isArray(holder)) holder.splice(Number(name), 1);
      else delete holder[name];
      if ('key' in to && !Array.isArray(holder)) {
        Object.defineProperty(holder, to.key, {
          value: held,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
    }
  }
  return JSON.stringify(root.root).replace(
    /"\\u0001(\d+)"/g,
    (_, index: string) => replacements[Number(index)] as string,
  );
}

/** Every object with the name of each of its members. */
function membersOf(holder: Members): [Members, string][] {
  return Object.entries(holder).flatMap(([name, value]) => [
    [holder, name] as [Members, string],
    ...(typeof value === 'object' && value !== null ? membersOf(value as Members) : []),
  ]);
}
