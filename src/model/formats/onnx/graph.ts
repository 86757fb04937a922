import { ScoreCamError } from '../../../errors';
import type { ByteSource } from '../../bytes/byte-source';
import { isShape } from '../elements';
import { type Message, readMessage, type Schema, type Span } from './wire';

/** A graph as the file has it; its tensors' bytes are where they were. */
export interface OnnxGraph {
  /** Of the default operators. */
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly initialisers: ReadonlyMap<string, OnnxTensor>;
  /** Those that are no initialisers. */
  readonly inputs: readonly OnnxInput[];
  readonly outputs: readonly string[];
}

export interface OnnxNode {
  /** Its own name or, where it has none, that of its first output. */
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

export interface OnnxAttribute {
  readonly int: number | undefined;
  readonly float: number | undefined;
  readonly text: string;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly tensor: OnnxTensor | undefined;
}

export interface OnnxInput {
  readonly name: string;
  readonly type: number | undefined;
  /** Undefined sizes are open. */
  readonly shape: readonly (number | undefined)[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** TensorProto.DataType */
  readonly type: number;
  readonly place:
    | { readonly in: 'file'; readonly span: Span; readonly isVarints: boolean }
    | {
        readonly in: 'sibling';
        readonly path: string;
        readonly offset: number;
        readonly length: number | undefined;
      };
}

/*
 * Field numbers of https://github.com/onnx/onnx/blob/v1.16.0/onnx/onnx.proto
 */
const MODEL = { graph: 7, opsets: 8 };
const OPSET = { domain: 1, version: 2 };
const GRAPH = { nodes: 1, initialisers: 5, inputs: 11, outputs: 12 };
const NODE = { inputs: 1, outputs: 2, name: 3, operator: 4, attributes: 5, domain: 7 };
const ATTRIBUTE = { name: 1, float: 2, int: 3, text: 4, tensor: 5, floats: 7, ints: 8 };
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9, external: 13, location: 14 };
/** Elements of a type as numbers of their own, packed; int32 holds whatever is narrower, too. */
const TYPED = { float: 4, int32: 5, int64: 7, double: 10 };
const ENTRY = { key: 1, value: 2 };
const INFO = { name: 1, type: 2 };
const TYPE = { tensor: 1 };
const TENSOR_TYPE = { type: 1, shape: 2 };
const SHAPE = { dims: 1 };
const DIM = { value: 1 };

/** TensorProto.DataType, as far as anything here reads it. */
export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;
export const FLOAT16 = 10;
export const DOUBLE = 11;
export const BFLOAT16 = 16;

const tensorSchema: Schema = {
  [TENSOR.dims]: 'ints',
  [TENSOR.type]: 'ints',
  [TENSOR.name]: 'text',
  [TENSOR.raw]: 'span',
  [TENSOR.external]: { [ENTRY.key]: 'text', [ENTRY.value]: 'text' },
  [TENSOR.location]: 'ints',
  [TYPED.float]: 'span',
  [TYPED.int32]: 'span',
  [TYPED.int64]: 'span',
  [TYPED.double]: 'span',
};

const infoSchema: Schema = {
  [INFO.name]: 'text',
  [INFO.type]: {
    [TYPE.tensor]: {
      [TENSOR_TYPE.type]: 'ints',
      [TENSOR_TYPE.shape]: { [SHAPE.dims]: { [DIM.value]: 'ints' } },
    },
  },
};

const modelSchema: Schema = {
  [MODEL.opsets]: { [OPSET.domain]: 'text', [OPSET.version]: 'ints' },
  [MODEL.graph]: {
    [GRAPH.nodes]: {
      [NODE.inputs]: 'text',
      [NODE.outputs]: 'text',
      [NODE.name]: 'text',
      [NODE.operator]: 'text',
      [NODE.domain]: 'text',
      [NODE.attributes]: {
        [ATTRIBUTE.name]: 'text',
        [ATTRIBUTE.float]: 'floats',
        [ATTRIBUTE.int]: 'ints',
        [ATTRIBUTE.text]: 'text',
        [ATTRIBUTE.tensor]: tensorSchema,
        [ATTRIBUTE.floats]: 'floats',
        [ATTRIBUTE.ints]: 'ints',
      },
    },
    [GRAPH.initialisers]: tensorSchema,
    [GRAPH.inputs]: infoSchema,
    [GRAPH.outputs]: infoSchema,
  },
};

/**
 * @throws ScoreCamError `weights` where the file is none of ONNX or damaged, `network` where its operators are of another
 * version or domain
 */
export async function readGraph(file: ByteSource): Promise<OnnxGraph> {
  const model = await readMessage(file, modelSchema);
  const graph = model.message(MODEL.graph);
  if (!graph) throw new ScoreCamError('weights', `${file.name} is no ONNX file: it has no graph.`);
  const initialisers = new Map<string, OnnxTensor>();
  for (const message of graph.messages(GRAPH.initialisers)) {
    const tensor = tensorOf(file.name, message);
    if (initialisers.has(tensor.name)) {
      throw new ScoreCamError('weights', `${file.name}: two tensors are called "${tensor.name}".`);
    }
    initialisers.set(tensor.name, tensor);
  }
  return {
    opset: opsetOf(file.name, model),
    nodes: graph.messages(GRAPH.nodes).map((node) => nodeOf(file.name, node)),
    initialisers,
    // Older files list initialisers among the inputs.
    inputs: graph
      .messages(GRAPH.inputs)
      .map(inputOf)
      .filter(({ name }) => !initialisers.has(name)),
    outputs: graph.messages(GRAPH.outputs).map((info) => info.text(INFO.name)),
  };
}

function isDefault(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

const [OLDEST, NEWEST] = [7, 21];

function opsetOf(file: string, model: Message): number {
  const version = model
    .messages(MODEL.opsets)
    .filter((set) => isDefault(set.text(OPSET.domain)))
    .at(-1)
    ?.number(OPSET.version);
  if (version !== undefined && version >= OLDEST && version <= NEWEST) return version;
  throw new ScoreCamError(
    'network',
    `${file} uses ${version === undefined ? "no version of ONNX's operators" : `opset ${version}`}; supported are ` +
      `${OLDEST} to ${NEWEST}. Export it again with opset_version=17.`,
  );
}

function nodeOf(file: string, node: Message): OnnxNode {
  const outputs = node.texts(NODE.outputs);
  const operator = node.text(NODE.operator);
  const name = node.text(NODE.name) || outputs[0] || operator;
  const domain = node.text(NODE.domain);
  if (!isDefault(domain)) {
    throw new ScoreCamError(
      'network',
      `${file}: node "${name}" is a ${operator} of "${domain}"; supported are ONNX's own operators alone.`,
    );
  }
  const attributes = new Map(
    node
      .messages(NODE.attributes)
      .map((attribute) => [attribute.text(ATTRIBUTE.name), attributeOf(file, attribute)]),
  );
  return { name, operator, inputs: node.texts(NODE.inputs), outputs, attributes };
}

function attributeOf(file: string, attribute: Message): OnnxAttribute {
  const tensor = attribute.message(ATTRIBUTE.tensor);
  return {
    int: attribute.number(ATTRIBUTE.int),
    float: attribute.number(ATTRIBUTE.float),
    text: attribute.text(ATTRIBUTE.text),
    ints: attribute.numbers(ATTRIBUTE.ints),
    floats: attribute.numbers(ATTRIBUTE.floats),
    tensor: tensor && tensorOf(file, tensor),
  };
}

function inputOf(info: Message): OnnxInput {
  const tensor = info.message(INFO.type)?.message(TYPE.tensor);
  const dims = tensor?.message(TENSOR_TYPE.shape)?.messages(SHAPE.dims) ?? [];
  return {
    name: info.text(INFO.name),
    type: tensor?.number(TENSOR_TYPE.type),
    // Exporters write what is open as a name, 0, -1, or nothing.
    shape: dims.map((dim) => {
      const size = dim.number(DIM.value) ?? 0;
      return size > 0 ? size : undefined;
    }),
  };
}

/** Where numbers of a type are if they are not raw. */
const TYPED_FIELD: Readonly<Record<number, number>> = {
  [FLOAT]: TYPED.float,
  [DOUBLE]: TYPED.double,
  [INT64]: TYPED.int64,
};

function tensorOf(file: string, tensor: Message): OnnxTensor {
  const name = tensor.text(TENSOR.name);
  const fail = (problem: string): never => {
    throw new ScoreCamError('weights', `${file}: tensor "${name}" ${problem}`);
  };
  const shape = tensor.numbers(TENSOR.dims);
  const type = tensor.number(TENSOR.type) ?? 0;
  if (!isShape(shape)) return fail('has a shape that is none.');
  const base = { name, shape, type };
  if (tensor.number(TENSOR.location) === 1) {
    const entries = new Map(
      tensor
        .messages(TENSOR.external)
        .map((entry) => [entry.text(ENTRY.key), entry.text(ENTRY.value)]),
    );
    const count = (key: string): number | undefined => {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      return Number.isNaN(number) ? fail(`has "${value}" as its ${key}.`) : number;
    };
    const path = entries.get('location') ?? '';
    const place = { in: 'sibling', path, offset: count('offset') ?? 0 } as const;
    return { ...base, place: { ...place, length: count('length') } };
  }
  const typed = TYPED_FIELD[type] ?? TYPED.int32;
  const raw = tensor.spans(TENSOR.raw);
  const spans = [...raw, ...tensor.spans(typed)];
  if (spans.length > 1) return fail('has its numbers in several pieces; one is possible.');
  const isVarints = raw.length === 0 && typed !== TYPED.float && typed !== TYPED.double;
  return {
    ...base,
    place: { in: 'file', span: spans[0] ?? { begin: 0, length: 0 }, isVarints },
  };
}
