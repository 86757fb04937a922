import { ScoreCamError } from '../../../errors';
import type { ByteSource } from '../../bytes/byte-source';

/*
 * What ONNX uses of the protobuf wire format (https://protobuf.dev/programming-guides/encoding): a message is its fields, one
 * after the other, each a tag (number and wire type) and a value.
 */

/** Where bytes lie in the file. */
export interface Span {
  readonly begin: number;
  readonly length: number;
  /** Few are at hand: going back for each would cost a request over the network. */
  readonly bytes?: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * What becomes of a message's fields, by their numbers; others are skipped. `span`: bytes that stay in the file. As messages
 * hold no message of their own type, nothing nests deeper than its schema.
 */
export type Schema = { readonly [field: number]: 'ints' | 'floats' | 'text' | 'span' | Schema };

type Value = number | string | Span | Message;

/** A message's fields. What is absent is an empty list; of what should be there once the last counts. */
export class Message {
  private readonly fields = new Map<number, Value[]>();

  add(field: number, value: Value): void {
    const values = this.fields.get(field);
    if (values) values.push(value);
    else this.fields.set(field, [value]);
  }

  numbers(field: number): readonly number[] {
    return this.all<number>(field);
  }

  number(field: number): number | undefined {
    return this.numbers(field).at(-1);
  }

  texts(field: number): readonly string[] {
    return this.all<string>(field);
  }

  text(field: number): string {
    return this.texts(field).at(-1) ?? '';
  }

  spans(field: number): readonly Span[] {
    return this.all<Span>(field);
  }

  messages(field: number): readonly Message[] {
    return this.all<Message>(field);
  }

  message(field: number): Message | undefined {
    return this.messages(field).at(-1);
  }

  /** The schema says of what type a field's values are. */
  private all<Type extends Value>(field: number): readonly Type[] {
    return (this.fields.get(field) ?? []) as Type[];
  }
}

/** Fields in all, skipped ones too: a network of a thousand nodes has 50,000. Kept, each takes some hundred bytes. */
const MOST_FIELDS = 2 ** 18;
/** Bytes of all names, and of one. */
const MOST_TEXT = 2 ** 22;
const LONGEST_TEXT = 2 ** 16;
/** A tag and a length take 20 at most. */
const LONGEST_HEAD = 20;
/** Bytes that are read at once. */
const WINDOW = 2 ** 14;
/** Bytes that are few. */
const FEW = 256;

const utf8 = new TextDecoder();

/**
 * Reads a file that is one message, jumping over what its schema leaves in the file.
 * @throws ScoreCamError `weights` naming file and byte
 */
export async function readMessage(file: ByteSource, schema: Schema): Promise<Message> {
  return new Reader(file).message(file.size, schema);
}

/** Varints one after the other, as in a packed field. */
export function unpackVarints(bytes: Uint8Array, fail: (message: string) => never): number[] {
  const values: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [value, end] = varint(bytes, at, fail);
    values.push(value);
    at = end;
  }
  return values;
}

class Reader {
  private window: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  private windowStart = 0;
  private at = 0;
  private fields = 0;
  private textBytes = 0;

  constructor(private readonly file: ByteSource) {}

  async message(end: number, schema: Schema): Promise<Message> {
    const message = new Message();
    while (this.at < end) {
      if (++this.fields > MOST_FIELDS) this.fail(`there are more than ${MOST_FIELDS} fields.`);
      if (this.left < LONGEST_HEAD) await this.fill(LONGEST_HEAD);
      const tag = this.varint();
      const field = Math.floor(tag / 8);
      const kind = Object.hasOwn(schema, field) ? schema[field] : undefined;
      switch (tag % 8) {
        case 0: {
          const value = this.varint();
          if (kind === 'ints') message.add(field, value);
          else if (kind) this.fail(`field ${field} is a number.`);
          break;
        }
        case 1:
          this.at += 8;
          if (kind) this.fail(`field ${field} is of 64 bits.`);
          break;
        case 5:
          if (kind === 'floats') message.add(field, this.float());
          else if (kind) this.fail(`field ${field} is of 32 bits.`);
          this.at += 4;
          break;
        case 2: {
          const length = this.varint();
          if (length > end - this.at) {
            this.fail(`field ${field} claims ${length} bytes, ${end - this.at} are left.`);
          }
          if (kind) await this.add(message, field, length, kind);
          else this.at += length;
          break;
        }
        default:
          this.fail(`field ${field} has wire type ${tag % 8}.`);
      }
    }
    if (this.at > end) this.fail('a field ends behind its message.');
    return message;
  }

  /** What has a length. */
  private async add(
    message: Message,
    field: number,
    length: number,
    kind: Schema[number],
  ): Promise<void> {
    if (typeof kind === 'object') {
      message.add(field, await this.message(this.at + length, kind));
      return;
    }
    if (kind === 'span') {
      const begin = this.at;
      const bytes = length <= FEW ? (await this.take(length)).slice() : undefined;
      this.at = begin + length;
      message.add(field, { begin, length, bytes });
      return;
    }
    this.textBytes += length;
    if (length > LONGEST_TEXT || this.textBytes > MOST_TEXT) {
      this.fail(
        `field ${field} is a name or list of ${length} bytes; at most ${LONGEST_TEXT} are possible, ${MOST_TEXT} in all.`,
      );
    }
    const bytes = await this.take(length);
    if (kind === 'text') message.add(field, utf8.decode(bytes));
    else if (kind === 'ints') {
      for (const value of unpackVarints(bytes, (problem) => this.fail(problem)))
        message.add(field, value);
    } else {
      if (length % 4 !== 0) this.fail(`field ${field} has ${length} bytes of floats.`);
      const view = new DataView(bytes.buffer, bytes.byteOffset, length);
      for (let at = 0; at < length; at += 4) message.add(field, view.getFloat32(at, true));
    }
  }

  /** The next bytes, until something else is read. */
  private async take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.left < length) await this.fill(length);
    const start = this.at - this.windowStart;
    this.at += length;
    return this.window.subarray(start, start + length);
  }

  /** Bytes of the window from where it is. */
  private get left(): number {
    return Math.max(0, this.windowStart + this.window.length - this.at);
  }

  /** Moves the window: at least `bytes` from here on, fewer at the file's end. */
  private async fill(bytes: number): Promise<void> {
    const most = this.file.size - this.at;
    const { left } = this;
    if (left >= Math.min(bytes, most)) return;
    // Forwards only: what is left of the window is not read again.
    const rest = this.window.subarray(this.window.length - left);
    const more = await this.file.read(
      this.at + left,
      Math.min(Math.max(bytes, WINDOW), most) - left,
    );
    this.window = new Uint8Array(left + more.length);
    this.window.set(rest);
    this.window.set(more, left);
    this.windowStart = this.at;
  }

  private varint(): number {
    const start = this.at - this.windowStart;
    const [value, end] = varint(this.window, start, (problem) => this.fail(problem));
    this.at += end - start;
    return value;
  }

  private float(): number {
    const { buffer, byteOffset, length } = this.window;
    const start = this.at - this.windowStart;
    if (start + 4 > length) this.fail('the file is cut off.');
    return new DataView(buffer, byteOffset).getFloat32(start, true);
  }

  private fail(problem: string): never {
    throw new ScoreCamError(
      'weights',
      `${this.file.name} is no ONNX file, or damaged: before byte ${this.at} ${problem}`,
    );
  }
}

/** Seven bits a byte, the lowest first; the eighth says that more follow. An int64, rounded to a number. */
function varint(
  bytes: Uint8Array,
  start: number,
  fail: (problem: string) => never,
): readonly [value: number, end: number] {
  let value = 0;
  let high = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return fail('a number is cut off.');
    if (i < 7) value += (byte & 127) * 2 ** (7 * i);
    else high |= BigInt(byte & 127) << BigInt(7 * i);
    if (byte < 128) {
      const all = high === 0n ? value : Number(BigInt.asIntN(64, high + BigInt(value)));
      return [all, start + i + 1];
    }
  }
  return fail('a number has no end.');
}
