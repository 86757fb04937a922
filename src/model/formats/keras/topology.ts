import { ScoreCamError, shown } from '../../../errors';
import { isObject, type JsonObject } from '../json';

/** One layer of a Keras model, with the layers that it reads. */
export interface KerasLayer {
  readonly name: string;
  readonly type: string;
  readonly config: JsonObject;
  readonly inputs: readonly KerasLayer[];
}

export interface KerasTopology {
  /** The layer that the model ends in. Everything that counts is reached from it. */
  readonly output: KerasLayer;
  /** Before Keras 3 a hard sigmoid was another function. */
  readonly isKeras3: boolean;
}

/** Models may be layers of models; Teachable Machine's are three deep. */
const DEEPEST = 8;

/**
 * The layers of a `modelTopology`, Sequential or functional, in the ways in which Keras 2 and 3 write them; models that are
 * layers are taken apart.
 * @throws ScoreCamError `network` naming file and layer
 */
export function readTopology(file: string, topology: unknown): KerasTopology {
  const fail = (message: string): never => {
    throw new ScoreCamError('network', `${file}: ${message}`);
  };
  const root = isObject(topology) ? topology : {};
  if (Array.isArray(root.node)) {
    fail(
      'it is a TensorFlow.js graph model, whose layers are dissolved into operations; only layers models are read. ' +
        'Convert the Keras model with --output_format tfjs_layers_model, or export it to ONNX.',
    );
  }
  const model = isObject(root.model_config) ? root.model_config : root;
  const { keras_version: version } = root;
  const isKeras3 = typeof version === 'string' && /^[3-9]/.test(version);
  const output = readModel(model, 'the model', undefined, 0, fail);
  return { output, isKeras3 };
}

type Fail = (message: string) => never;

/** @param input what the model reads; its own input layer where it is nobody's layer */
function readModel(
  model: JsonObject,
  what: string,
  input: KerasLayer | undefined,
  depth: number,
  fail: Fail,
): KerasLayer {
  const { class_name: type, config } = model;
  if (depth > DEEPEST) fail(`${what} is a model inside of ${DEEPEST} others.`);
  if (type === 'Sequential') return readSequential(config, what, input, depth, fail);
  if (type === 'Model' || type === 'Functional') {
    return isObject(config)
      ? readFunctional(config, what, input, depth, fail)
      : fail(`${what} has no "config".`);
  }
  return fail(
    `${what} is ${shown(type)}; supported are Sequential, Model and Functional, with their layers described.`,
  );
}

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly config: JsonObject;
  readonly raw: JsonObject;
}

function entryOf(value: unknown, what: string, fail: Fail): Entry {
  const raw = isObject(value) ? value : {};
  const { class_name: type, config } = raw;
  const own = isObject(config) ? config : {};
  const name = own.name ?? raw.name;
  return typeof name === 'string' && name.length > 0 && typeof type === 'string'
    ? { name, type, config: own, raw }
    : fail(`a layer of ${what} lacks its name or class_name.`);
}

function isModel({ type }: Entry): boolean {
  return type === 'Sequential' || type === 'Model' || type === 'Functional';
}

function layerOf(
  entry: Entry,
  inputs: readonly KerasLayer[],
  depth: number,
  fail: Fail,
): KerasLayer {
  const { name, type, config, raw } = entry;
  if (!isModel(entry)) return { name, type, config, inputs };
  const [first] = inputs;
  return inputs.length === 1 && first
    ? readModel(raw, `the model "${name}"`, first, depth + 1, fail)
    : fail(`the model "${name}" inside of it reads ${inputs.length} tensors; one is supported.`);
}

function readSequential(
  config: unknown,
  what: string,
  input: KerasLayer | undefined,
  depth: number,
  fail: Fail,
): KerasLayer {
  const list = isObject(config) ? config.layers : config;
  if (!Array.isArray(list) || list.length === 0) return fail(`${what} has no list of layers.`);
  let last = input;
  for (const value of list as unknown[]) {
    const entry = entryOf(value, what, fail);
    if (entry.type === 'InputLayer') {
      last ??= layerOf(entry, [], depth, fail);
      continue;
    }
    // Without an input layer of its own, the first says what it reads; a model as the first brings its own.
    if (!last && isModel(entry)) {
      last = readModel(entry.raw, `the model "${entry.name}"`, undefined, depth + 1, fail);
      continue;
    }
    last ??= { name: `${entry.name}_input`, type: 'InputLayer', config: entry.config, inputs: [] };
    last = layerOf(entry, [last], depth, fail);
  }
  return last ?? fail(`${what} has no layers.`);
}

function readFunctional(
  config: JsonObject,
  what: string,
  input: KerasLayer | undefined,
  depth: number,
  fail: Fail,
): KerasLayer {
  const { layers: list, input_layers: inputs, output_layers: outputs } = config;
  if (!Array.isArray(list)) return fail(`${what} has no list of layers.`);
  const entries = new Map<string, Entry>();
  for (const value of list as unknown[]) {
    const entry = entryOf(value, what, fail);
    if (entries.has(entry.name)) fail(`two layers of ${what} are called "${entry.name}".`);
    entries.set(entry.name, entry);
  }
  const one = (member: string, value: unknown): string => {
    const names = referencesOf(value);
    return names.length === 1
      ? (names[0] as string)
      : fail(`${what} has ${names.length} "${member}"; one is supported.`);
  };
  const source = one('input_layers', inputs);
  const target = one('output_layers', outputs);

  const built = new Map<string, KerasLayer>();
  const open = new Set<string>();
  // Depth first without recursion: a file may be a chain of any length.
  const stack = [target];
  for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
    if (built.has(name)) {
      stack.pop();
      continue;
    }
    const entry = entries.get(name) ?? fail(`${what} names a layer "${name}", which is not there.`);
    if (name === source) {
      built.set(name, input ?? layerOf(entry, [], depth, fail));
      continue;
    }
    const reads = readsOf(entry, fail);
    const missing = reads.filter((of) => !built.has(of));
    if (missing.length === 0) {
      const read = reads.map((of) => built.get(of) as KerasLayer);
      built.set(name, layerOf(entry, read, depth, fail));
      open.delete(name);
      continue;
    }
    if (open.has(name)) fail(`layer "${name}" reads what is computed from it.`);
    open.add(name);
    for (const of of missing) stack.push(of);
  }
  return built.get(target) as KerasLayer;
}

/** The layers that `inbound_nodes` name. */
function readsOf({ name, type, raw }: Entry, fail: Fail): string[] {
  const { inbound_nodes: nodes } = raw;
  if (!Array.isArray(nodes) || nodes.length !== 1) {
    const count = Array.isArray(nodes) ? nodes.length : 0;
    return fail(
      `layer "${name}" (${type}) is used ${count} times; layers with one use each are supported.`,
    );
  }
  const [node] = nodes as unknown[];
  const names: string[] = isObject(node) ? keras3Reads(node.args) : referencesOf(node);
  return names.length > 0 ? names : fail(`layer "${name}" (${type}) reads nothing.`);
}

/** `["name", 0, 0]` or a list of such, as Keras 2 writes tensors, and Keras 3 a model's ends. */
function referencesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  if (typeof value[0] === 'string') return [value[0]];
  return (value as unknown[]).flatMap((of) =>
    Array.isArray(of) && typeof of[0] === 'string' ? [of[0]] : [],
  );
}

/** Tensors among a call's arguments, one or a list. */
function keras3Reads(args: unknown): string[] {
  const all = Array.isArray(args) ? (args as unknown[]).flat(1) : [];
  return all.flatMap((tensor) => {
    const config = isObject(tensor) && isObject(tensor.config) ? tensor.config : {};
    const { keras_history: history } = config;
    return Array.isArray(history) && typeof history[0] === 'string' ? [history[0]] : [];
  });
}
