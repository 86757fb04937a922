import { ScoreCamError } from '../../errors';
import { elementCount } from '../weight-source';
import { isShape, MOST_AXES, shapeText } from './elements';
import { PickleGlobal, type PickleHost, PickleObject, type PickleValue } from './pickle';

/** PyTorch's storage types: safetensors' name of the element type, and bytes of an element. */
const STORAGES: Readonly<Record<string, readonly [dtype: string, bytes: number]>> = {
  FloatStorage: ['F32', 4],
  HalfStorage: ['F16', 2],
  BFloat16Storage: ['BF16', 2],
  DoubleStorage: ['F64', 8],
  LongStorage: ['I64', 8],
  IntStorage: ['I32', 4],
  ShortStorage: ['I16', 2],
  CharStorage: ['I8', 1],
  ByteStorage: ['U8', 1],
  BoolStorage: ['BOOL', 1],
};

/** A piece of memory that tensors are views of. */
export class TorchStorage extends PickleObject {
  constructor(
    /** Its name in the file. */
    readonly key: string,
    readonly dtype: string,
    /** Of one element. */
    readonly elementBytes: number,
    readonly elements: number,
  ) {
    super();
  }
}

/**
 * A view of a storage; sizes, strides and offset in elements. The lists are the pickle's own, which may give them to any
 * number of tensors and change them until it ends: {@link stateDict} checks them.
 */
export class TorchTensor extends PickleObject {
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: readonly PickleValue[],
    readonly strides: readonly PickleValue[],
  ) {
    super();
  }
}

/**
 * A torch.nn.Parameter as PyTorch 0.1 wrote it, in 2017, which is how old torchvision's files of VGGs
 * without batch normalisation are. The tensor is in its arguments or first in its state.
 */
export class TorchParameter extends PickleObject {
  tensor: TorchTensor | undefined;

  override setState(state: PickleValue): void {
    const [data] = Array.isArray(state) ? state : [];
    if (data instanceof TorchTensor) this.tensor = data;
  }
}

/** What the pickle of a state dict may refer to, and the storages that it did refer to. */
export interface TorchHost extends PickleHost {
  /** By key. */
  readonly storages: ReadonlyMap<string, TorchStorage>;
}

/** A fresh host for one file's pickle; `name` is the file's, for errors. */
export function torchHost(name: string): TorchHost {
  const storages = new Map<string, TorchStorage>();
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${name}: ${message}`);
  };
  const globals = new Map<string, PickleGlobal>();
  const allow = (path: string, construct?: PickleGlobal['construct']): void => {
    globals.set(path, new PickleGlobal(path, construct));
  };
  for (const type of Object.keys(STORAGES)) allow(`torch.${type}`);
  // (storage, offset, size, stride), and in v2 requires_grad, backward_hooks and perhaps metadata.
  allow('torch._utils._rebuild_tensor', (args) => tensorFrom(args, fail));
  allow('torch._utils._rebuild_tensor_v2', (args) => tensorFrom(args, fail));
  // (tensor, requires_grad, backward_hooks)
  allow('torch._utils._rebuild_parameter', ([tensor]) =>
    tensor instanceof TorchTensor ? tensor : fail('a parameter of its pickle holds no tensor.'),
  );
  allow('torch.nn.parameter.Parameter', ([tensor]) => {
    const parameter = new TorchParameter();
    if (tensor instanceof TorchTensor) parameter.tensor = tensor;
    return parameter;
  });
  return {
    name,
    storages,
    global: (path) => globals.get(path),
    persistent(id) {
      const storage = storageFrom(id, fail);
      const known = storages.get(storage.key);
      if (!known) storages.set(storage.key, storage);
      else if (known.dtype !== storage.dtype || known.elements !== storage.elements) {
        fail(`its pickle describes storage "${storage.key}" twice and differently.`);
      }
      return known ?? storage;
    },
  };
}

/** ('storage', type, key, device, elements), and in the format before 1.6 a view or None. */
function storageFrom(id: PickleValue, fail: (message: string) => never): TorchStorage {
  const [kind, type, key, , elements, view = null] = Array.isArray(id) ? id : [];
  if (
    kind !== 'storage' ||
    !(type instanceof PickleGlobal) ||
    typeof key !== 'string' ||
    typeof elements !== 'number' ||
    !isShape([elements])
  ) {
    return fail('its pickle has a persistent id that is no storage: no state dict, or damaged.');
  }
  if (view !== null) {
    fail(
      `storage "${key}" is a view of another storage, as PyTorch before 0.4 could write; load the file ` +
        'in PyTorch and save it again with torch.save.',
    );
  }
  const [dtype, bytes] =
    STORAGES[type.name.replace('torch.', '')] ?? fail(`${type.name} is no storage type.`);
  return new TorchStorage(key, dtype, bytes, elements);
}

function tensorFrom(
  [storage, offset, shape, strides]: readonly PickleValue[],
  fail: (message: string) => never,
): TorchTensor {
  if (
    !(storage instanceof TorchStorage) ||
    !isShape([offset]) ||
    !Array.isArray(shape) ||
    !Array.isArray(strides)
  ) {
    return fail('its pickle has a tensor without storage, sizes or strides: damaged.');
  }
  return new TorchTensor(storage, offset as number, shape, strides);
}

/** A tensor of a state dict: elements offset ... of its storage, row by row. */
export interface StateTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
}

/** Where a training checkpoint keeps the state dict. */
const CONTAINERS = ['state_dict', 'model_state_dict', 'model'] as const;

/**
 * The tensors of a state dict, of a checkpoint that contains one, or of one that was saved by
 * DataParallel (all names start with `module.`), by name.
 * @throws ScoreCamError `weights` if there are none, or naming one that does not fit its storage.
 */
export function stateDict(file: string, root: PickleValue): ReadonlyMap<string, StateTensor> {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${file}: ${message}`);
  };
  let dict = root;
  // A container inside its container is as deep as checkpoints go; a file may contain itself.
  for (let depth = 0; depth < 2; depth++) {
    if (!(dict instanceof Map)) break;
    const holder: ReadonlyMap<PickleValue, PickleValue> = dict;
    const inner = CONTAINERS.map((key) => holder.get(key)).find((value) => value instanceof Map);
    if (inner) dict = inner;
  }
  const tensors: [string, StateTensor][] = [];
  if (dict instanceof Map) {
    for (const [key, value] of dict) {
      const tensor = value instanceof TorchParameter ? value.tensor : value;
      if (!(tensor instanceof TorchTensor)) continue;
      if (typeof key !== 'string') fail('a tensor of it has no name: this is no state dict.');
      tensors.push([key as string, checked(key as string, tensor, fail)]);
    }
  }
  if (tensors.length === 0) {
    const keys = dict instanceof Map ? [...dict.keys()].slice(0, 8).map(keyText).join(', ') : '';
    fail(
      `it holds no state dict${keys && ` (its members are ${keys})`}. ` +
        "Save one: torch.save(model.state_dict(), 'weights.pth').",
    );
  }
  const prefix = 'module.';
  const isParallel = tensors.every(([name]) => name.startsWith(prefix));
  return new Map(
    tensors.map(([name, tensor]) => [isParallel ? name.slice(prefix.length) : name, tensor]),
  );
}

function keyText(key: PickleValue): string {
  return typeof key === 'string' ? `"${key.slice(0, 40)}"` : typeof key;
}

function checked(
  name: string,
  { storage, offset, shape, strides }: TorchTensor,
  fail: (message: string) => never,
): StateTensor {
  if (shape.length > MOST_AXES) {
    fail(`tensor "${name}" has ${shape.length} sizes; at most ${MOST_AXES} are read.`);
  }
  if (!isShape(shape) || strides.length !== shape.length) {
    return fail(`tensor "${name}" has no possible sizes or strides: damaged.`);
  }
  const count = elementCount(shape);
  if (offset + count > storage.elements) {
    fail(
      `tensor "${name}" (${shapeText(shape)}) needs ${count} elements from ${offset} on, ` +
        `its storage "${storage.key}" has ${storage.elements}.`,
    );
  }
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    // Nothing is ever stepped over along an axis of one element: any stride will do.
    if (count > 1 && size > 1 && strides[axis] !== expected) {
      fail(
        `tensor "${name}" (${shapeText(shape)}) is stored with strides ${strides.join(', ')}, not row ` +
          'by row. Save a contiguous copy: ' +
          'torch.save({k: v.contiguous() for k, v in model.state_dict().items()}, ...).',
      );
    }
    expected *= size;
  }
  return { storage, offset, shape };
}
