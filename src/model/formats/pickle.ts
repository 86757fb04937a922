import { ScoreCamError } from '../../errors';

/**
 * A value of a pickle. Lists and tuples are arrays, dicts are Maps; nothing else has a JavaScript
 * counterpart, so that no other object can come out of a file.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleObject;

/** What a host makes of the globals it knows: its own description, never Python's object. */
export abstract class PickleObject {
  /** Takes what Python would hand to __setstate__. Objects without it refuse BUILD. */
  setState?(state: PickleValue): void;
}

/** A class or function that the host knows. One without `construct` is only a name: a storage type. */
export class PickleGlobal extends PickleObject {
  constructor(
    readonly name: string,
    readonly construct?: (args: readonly PickleValue[]) => PickleValue,
  ) {
    super();
  }
}

/** collections.OrderedDict: a dict that may carry attributes (a state dict's `_metadata`). */
export class OrderedDict extends Map<PickleValue, PickleValue> {}

export interface PickleHost {
  /** File name or URL, for errors. */
  readonly name: string;
  /** What the global stands for; undefined refuses the file. */
  global(name: string): PickleGlobal | undefined;
  /** What a persistent id stands for. */
  persistent(id: PickleValue): PickleValue;
}

/** The bytes ended before the pickle did: more may be in the file. */
export class PickleCutOff extends ScoreCamError {}

/**
 * An object takes up to 200 bytes of memory (a dict), an opcode that makes one a single byte. A state dict's own pickle has 20
 * bytes and more for each.
 */
const OBJECT_BYTES = 4;
/** Objects that are not counted. */
const FREE_OBJECTS = 1000;

const text = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads one pickle of protocol 2 to 5 from bytes[start] on, without running anything: a pickle is a
 * program, and all it can do here is to build dicts, lists, tuples, numbers, strings and the host's
 * objects. Time and memory are proportional to the bytes read; nothing recurses.
 * @param fileOffset Where bytes[0] lies in the file, for errors.
 * @returns The value and the index behind the pickle's last byte.
 * @throws PickleCutOff if the bytes end too early.
 * @throws ScoreCamError `weights` naming file, byte and, if one is refused, the global.
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  host: PickleHost,
  fileOffset = 0,
): { readonly value: PickleValue; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: PickleValue[] = [];
  /** Heights of the stack: an opcode works on what was pushed since the last MARK. */
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();
  let at = start;
  let opcodeAt = start;
  // Building an OrderedDict from a list copies it, and a pickle may do so for every 3 of its bytes.
  let copies = bytes.length;
  let objects = 0;

  const fail = (message: string): never => {
    throw new ScoreCamError(
      'weights',
      `${host.name}: ${message} (byte ${fileOffset + opcodeAt} of the file).`,
    );
  };
  const skip = (length: number): number => {
    if (length > bytes.length - at) {
      throw new PickleCutOff(
        'weights',
        `${host.name}: a pickle starts at byte ${fileOffset + start} and is not complete at byte ` +
          `${fileOffset + bytes.length}: the file is cut off or damaged.`,
      );
    }
    at += length;
    return at - length;
  };
  const u8 = (): number => view.getUint8(skip(1));
  const u16 = (): number => view.getUint16(skip(2), true);
  const u32 = (): number => view.getUint32(skip(4), true);
  const u64 = (): number => Number(view.getBigUint64(skip(8), true));
  const slice = (length: number): Uint8Array => {
    const from = skip(length);
    return bytes.subarray(from, from + length);
  };
  const string = (length: number): string => {
    const found = slice(length);
    try {
      return text.decode(found);
    } catch {
      return fail('a string of the pickle is not UTF-8: the file is damaged');
    }
  };
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    const found = string((end < 0 ? bytes.length + 1 : end) - at);
    at += 1;
    return found;
  };
  const long = (length: number): number | bigint => {
    // The longest that torch.save writes is its magic number, of 10 bytes.
    if (length > 16) fail(`the pickle has an integer of ${length} bytes; at most 16 are read`);
    const value = BigInt.asIntN(
      8 * length,
      slice(length).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
    );
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  };

  const push = (value: PickleValue): void => {
    stack.push(value);
  };
  /** Pushes what was made just now. */
  const pushNew = (value: PickleValue): void => {
    if (++objects > FREE_OBJECTS + (at - start) / OBJECT_BYTES) {
      fail(
        `the pickle makes an object for less than ${OBJECT_BYTES} of its bytes: no state dict does`,
      );
    }
    push(value);
  };
  /** Nothing below the last mark may be taken: that would tear a container apart. */
  const floor = (): number => marks.at(-1) ?? 0;
  const pop = (): PickleValue =>
    stack.length > floor()
      ? (stack.pop() as PickleValue)
      : fail('the pickle takes a value that is not there: the file is damaged');
  const top = (): PickleValue =>
    stack.length > floor()
      ? (stack.at(-1) as PickleValue)
      : fail('the pickle uses a value that is not there: the file is damaged');
  const popToMark = (): PickleValue[] => {
    const mark = marks.pop() ?? fail('the pickle closes a group that was never opened');
    return stack.splice(mark);
  };
  const tuple = (size: number): void => {
    const items: PickleValue[] = [];
    for (let i = 0; i < size; i++) items.unshift(pop());
    pushNew(items);
  };
  const setItems = (dict: PickleValue, items: readonly PickleValue[]): void => {
    const map =
      dict instanceof Map && items.length % 2 === 0
        ? dict
        : fail('the pickle sets items of something that is no dict');
    for (let i = 0; i < items.length; i += 2) {
      map.set(items[i] as PickleValue, items[i + 1] as PickleValue);
    }
  };
  const append = (list: PickleValue, items: readonly PickleValue[]): void => {
    const array = Array.isArray(list)
      ? list
      : fail('the pickle appends to something that is no list');
    for (const item of items) array.push(item);
  };
  const get = (index: number): void => {
    push(
      memo.has(index)
        ? (memo.get(index) as PickleValue)
        : fail(`the pickle refers to its value ${index}, which it never stored`),
    );
  };
  const global = (module: PickleValue, name: PickleValue): void => {
    if (typeof module !== 'string' || typeof name !== 'string') {
      fail('the pickle asks for a global by something that is no name');
    }
    const path = `${module}.${name}`;
    push(
      (path === ORDERED_DICT.name ? ORDERED_DICT : host.global(path)) ??
        fail(
          `the pickle asks for ${path.slice(0, 120)}, which is refused: it could run code, and ` +
            'weights need no such thing (nothing was run). If you trust the file, load it in PyTorch ' +
            "and save only its tensors: torch.save(model.state_dict(), 'weights.pth')",
        ),
    );
  };
  const construct = (callable: PickleValue, args: PickleValue): PickleValue => {
    if (!(callable instanceof PickleGlobal) || !Array.isArray(args)) {
      return fail('the pickle calls something that is no function: the file is damaged');
    }
    if (callable === ORDERED_DICT) return orderedDict(args);
    if (!callable.construct) return fail(`the pickle calls ${callable.name}, which is refused`);
    return callable.construct(args);
  };
  /** OrderedDict() and Python 2's OrderedDict([[key, value], ...]). */
  const orderedDict = (args: readonly PickleValue[]): OrderedDict => {
    const dict = new OrderedDict();
    const pairs = args[0] ?? [];
    if (args.length > 1 || !Array.isArray(pairs)) fail('collections.OrderedDict of no list');
    copies -= (pairs as PickleValue[]).length;
    if (copies < 0) fail('the pickle copies the same list over and over: no state dict does');
    for (const pair of pairs as PickleValue[]) {
      if (!Array.isArray(pair) || pair.length !== 2) return fail('an OrderedDict item is no pair');
      dict.set(pair[0] as PickleValue, pair[1] as PickleValue);
    }
    return dict;
  };
  const build = (object: PickleValue, state: PickleValue): void => {
    // Attributes of a state dict: _metadata, the layers' version numbers. No weight is among them.
    if (object instanceof OrderedDict && state instanceof Map) return;
    if (object instanceof PickleObject && object.setState) object.setState(state);
    else fail('the pickle sets the state of an object that has none here');
  };

  for (;;) {
    opcodeAt = at;
    const opcode = u8();
    switch (opcode) {
      case 0x80: {
        const protocol = u8();
        if (protocol < 2 || protocol > 5) {
          fail(
            `pickle protocol ${protocol}; supported are 2 to 5: torch.save(..., pickle_protocol=2)`,
          );
        }
        break;
      }
      case 0x95: // FRAME: only a hint for buffering
        skip(8);
        break;
      case 0x2e: {
        // STOP
        const value = pop();
        if (stack.length > 0 || marks.length > 0) fail('the pickle ends in the middle of a value');
        return { value, end: at };
      }
      case 0x28: // MARK
        marks.push(stack.length);
        break;
      case 0x30: // POP
        if (stack.length > floor()) stack.pop();
        else popToMark();
        break;
      case 0x31: // POP_MARK
        popToMark();
        break;
      case 0x32: // DUP
        push(top());
        break;

      case 0x4e: // NONE
        push(null);
        break;
      case 0x88: // NEWTRUE
        push(true);
        break;
      case 0x89: // NEWFALSE
        push(false);
        break;
      case 0x4a: // BININT
        push(view.getInt32(skip(4), true));
        break;
      case 0x4b: // BININT1
        push(u8());
        break;
      case 0x4d: // BININT2
        push(u16());
        break;
      case 0x8a: // LONG1
        push(long(u8()));
        break;
      case 0x8b: // LONG4
        push(long(u32()));
        break;
      case 0x47: // BINFLOAT
        push(view.getFloat64(skip(8), false));
        break;

      // Python 2 wrote its strings as byte strings.
      case 0x55: // SHORT_BINSTRING
      case 0x8c: // SHORT_BINUNICODE
        push(string(u8()));
        break;
      case 0x54: // BINSTRING
      case 0x58: // BINUNICODE
        push(string(u32()));
        break;
      case 0x8d: // BINUNICODE8
        push(string(u64()));
        break;
      case 0x43: // SHORT_BINBYTES
        pushNew(slice(u8()));
        break;
      case 0x42: // BINBYTES
        pushNew(slice(u32()));
        break;
      case 0x8e: // BINBYTES8
        pushNew(slice(u64()));
        break;

      case 0x7d: // EMPTY_DICT
        pushNew(new Map());
        break;
      case 0x64: {
        // DICT
        const dict = new Map<PickleValue, PickleValue>();
        setItems(dict, popToMark());
        pushNew(dict);
        break;
      }
      case 0x73: {
        // SETITEM
        const value = pop();
        const key = pop();
        setItems(top(), [key, value]);
        break;
      }
      case 0x75: {
        // SETITEMS
        const items = popToMark();
        setItems(top(), items);
        break;
      }
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        pushNew([]);
        break;
      case 0x6c: // LIST
      case 0x74: // TUPLE
        pushNew(popToMark());
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        tuple(opcode - 0x84);
        break;
      case 0x61: {
        // APPEND
        const item = pop();
        append(top(), [item]);
        break;
      }
      case 0x65: {
        // APPENDS
        const items = popToMark();
        append(top(), items);
        break;
      }

      case 0x71: // BINPUT
        memo.set(u8(), top());
        break;
      case 0x72: // LONG_BINPUT
        memo.set(u32(), top());
        break;
      case 0x94: // MEMOIZE
        memo.set(memo.size, top());
        break;
      case 0x68: // BINGET
        get(u8());
        break;
      case 0x6a: // LONG_BINGET
        get(u32());
        break;

      case 0x63: // GLOBAL
        global(line(), line());
        break;
      case 0x93: {
        // STACK_GLOBAL
        const name = pop();
        global(pop(), name);
        break;
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ: cls.__new__(cls, *args); the host's classes are called alike
        const args = pop();
        pushNew(construct(pop(), args));
        break;
      }
      case 0x62: {
        // BUILD
        const state = pop();
        build(top(), state);
        break;
      }
      case 0x51: // BINPERSID
        pushNew(host.persistent(pop()));
        break;
      default:
        fail(
          `the pickle has opcode 0x${opcode.toString(16).padStart(2, '0')}, which no state dict needs: ` +
            'another kind of object, or a damaged file',
        );
    }
  }
}

const ORDERED_DICT = new PickleGlobal('collections.OrderedDict');
