import type { ByteSource } from '../../bytes/byte-source';
import { elementCount, type TensorFacts, tensorOf, type WeightSource } from '../../weight-source';
import type { StoredWeight, Weight } from './draft';
import type { TensorFiles } from './tensors';
import { isStoredOrder } from './values';

interface Entry extends TensorFacts {
  readonly weight: Weight;
}

/** Gives the layers' weights names, and hands them out under these. */
export class Weights {
  private readonly entries = new Map<string, Entry>();
  private readonly names = new Names();

  constructor(private readonly files: TensorFiles) {}

  /** @param name what it is to be called, where the file does not call it anything @returns what it is called */
  add(weight: Weight, name: string, shape: readonly number[]): string {
    const isStored = weight.kind === 'stored';
    // Checked now: what is damaged is told before anything is computed.
    const dtype = isStored ? this.files.dtypeOf(weight.tensor) : 'F32';
    const unique = this.names.unique((isStored && weight.tensor.name) || name);
    this.entries.set(unique, { weight, shape, dtype });
    return unique;
  }

  /** In the order of the files. */
  source(): WeightSource {
    const { files } = this;
    const { name }: ByteSource = files.file;
    const place = ({ weight }: Entry): readonly [path: string, begin: number] => {
      if (weight.kind === 'computed') return ['', 0];
      const { place } = weight.tensor;
      return place.in === 'file' ? ['', place.span.begin] : [place.path, place.offset];
    };
    const tensors = new Map(
      [...this.entries].sort(([, one], [, other]) => {
        const [path, begin] = place(one);
        const [otherPath, otherBegin] = place(other);
        if (path === otherPath) return begin - otherBegin;
        return path < otherPath ? -1 : 1;
      }),
    );
    const turned = new Turned(files);
    return {
      name,
      tensors,
      async read(tensor, start, count) {
        const { weight } = tensorOf({ name, tensors }, tensor);
        if (weight.kind === 'computed')
          return Float32Array.from(weight.values.slice(start, start + count));
        return isStoredOrder(weight)
          ? files.floats(weight.tensor, start, count)
          : turned.read(weight, start, count);
      },
    };
  }
}

/** Names that differ, however many are asked to be one. */
export class Names {
  private readonly taken: Set<string>;
  private readonly counts = new Map<string, number>();

  constructor(...taken: readonly string[]) {
    this.taken = new Set(taken);
  }

  unique(name: string): string {
    let count = this.counts.get(name) ?? 1;
    let unique = name;
    while (this.taken.has(unique)) unique = `${name} (${++count})`;
    this.counts.set(name, count);
    this.taken.add(unique);
    return unique;
  }
}

/** Elements that are kept once they are in order: 64 MB. */
const MOST_KEPT = 2 ** 24;
/** Elements that are read at once. */
const BAND = 2 ** 20;

/** Transposed tensors. Small ones are kept, the last one read; of others each read takes a pass over all of the tensor. */
class Turned {
  private kept: { readonly weight: StoredWeight; readonly values: Float32Array } | undefined;

  constructor(private readonly files: TensorFiles) {}

  async read(
    weight: StoredWeight,
    start: number,
    count: number,
  ): Promise<Float32Array<ArrayBuffer>> {
    const total = elementCount(weight.axes);
    if (total > MOST_KEPT) return this.part(weight, start, count);
    if (this.kept?.weight !== weight) {
      this.kept = { weight, values: await this.part(weight, 0, total) };
    }
    const { values } = this.kept;
    // The last part that is read gives the memory back.
    if (start + count >= total) this.kept = undefined;
    return values.slice(start, start + count);
  }

  private async part(
    { tensor, axes, order }: StoredWeight,
    start: number,
    count: number,
  ): Promise<Float32Array<ArrayBuffer>> {
    const result = new Float32Array(count);
    const steps = stepsOf(axes, order.flat());
    const total = elementCount(axes);
    const at = axes.map(() => 0);
    let to = 0;
    for (let begin = 0; begin < total; begin += BAND) {
      const values = await this.files.floats(tensor, begin, Math.min(BAND, total - begin));
      for (const value of values) {
        if (to >= start && to - start < count) result[to - start] = value;
        for (let axis = axes.length - 1; axis >= 0; axis--) {
          to += steps[axis] as number;
          const size = axes[axis] as number;
          const next = (at[axis] as number) + 1;
          at[axis] = next % size;
          if (next < size) break;
          to -= size * (steps[axis] as number);
        }
      }
    }
    return result;
  }
}

/** How far apart neighbours along each stored axis are in the result. */
function stepsOf(axes: readonly number[], order: readonly number[]): number[] {
  const steps = axes.map(() => 0);
  let step = 1;
  for (const axis of [...order].reverse()) {
    steps[axis] = step;
    step *= axes[axis] as number;
  }
  return steps;
}
