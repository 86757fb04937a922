import { ScoreCamError } from '../../../errors';
import { elementCount, type TensorFacts, type WeightSource } from '../../weight-source';
import { shapeText } from '../elements';

/** Elements of the largest tensor that is turned: it is in memory twice while it is. */
const LARGEST = 2 ** 27;

interface Turned extends TensorFacts {
  /** Its name in the file; undefined where it is made up of one value. */
  readonly stored: string | undefined;
  readonly fill: number;
  /** Axes of the file's tensor, in the order of ours; undefined where it is the same. */
  readonly axes: readonly number[] | undefined;
  /** The file's shape with an axis for each of `axes`. */
  readonly from: readonly number[];
}

/**
 * A Keras model's tensors, handed out in the project's order: [out, in, height, width]. Names are `layer/kernel` and so on,
 * whatever a converter put before and behind.
 */
export class KerasWeights implements WeightSource {
  readonly name: string;
  readonly tensors = new Map<string, Turned>();
  private readonly file: WeightSource;
  private readonly byEnding = new Map<string, string[]>();
  /** Rows of a large tensor are read piece by piece. */
  private latest: { readonly name: string; readonly values: Float32Array<ArrayBuffer> } | undefined;

  constructor(file: WeightSource) {
    this.name = file.name;
    this.file = file;
    for (const name of file.tensors.keys()) {
      const ending = name.replace(/:0$/, '').split('/').slice(-2).join('/');
      this.byEnding.set(ending, [...(this.byEnding.get(ending) ?? []), name]);
    }
  }

  /** Of a layer's tensor in the file, if it is there. */
  shapeOf(layer: string, kinds: readonly string[]): readonly number[] | undefined {
    const [name] = this.namesOf(layer, kinds);
    return name === undefined ? undefined : this.file.tensors.get(name)?.shape;
  }

  /**
   * Makes a layer's tensor known, and gives its name.
   * @param from what the file's tensor must be, once axes of its shape are split; [O] for what is not turned
   * @param axes of that, in the order of ours
   * @throws ScoreCamError `weights` where it is missing or of another size
   */
  take(
    layer: string,
    kinds: readonly string[],
    from: readonly number[],
    axes?: readonly number[],
  ): string {
    const [name, second] = this.namesOf(layer, kinds);
    const fail = this.fail.bind(this);
    if (name === undefined) return fail(`tensor "${layer}/${kinds[0]}" is missing.`);
    if (second !== undefined)
      return fail(`"${name}" and "${second}" could both be of layer "${layer}".`);
    const { shape } = this.file.tensors.get(name) as TensorFacts;
    // Splitting keeps elements in their order, so that only their number can tell; axes that are not split must agree.
    const fits =
      shape.length === from.length ? shape.join() === from.join() : shape.at(-1) === from.at(-1);
    if (!fits || elementCount(shape) !== elementCount(from)) {
      fail(`tensor "${name}" is ${shapeText(shape)}, layer "${layer}" needs ${shapeText(from)}.`);
    }
    if (axes && elementCount(shape) > LARGEST) {
      fail(`tensor "${name}" has ${elementCount(shape)} elements; at most ${LARGEST} are turned.`);
    }
    const turned = axes ? axes.map((axis) => from[axis] as number) : from;
    this.tensors.set(name, { shape: turned, dtype: 'F32', stored: name, fill: 0, axes, from });
    return name;
  }

  private fail(message: string): never {
    throw new ScoreCamError('weights', `${this.name}: ${message}`);
  }

  private namesOf(layer: string, kinds: readonly string[]): readonly string[] {
    return kinds.flatMap((kind) => this.byEnding.get(`${layer}/${kind}`) ?? []);
  }

  /** @throws ScoreCamError `weights` where the file has a tensor that its layer, as it is configured, does not use */
  refuse(layer: string, kind: string): void {
    const [found] = this.namesOf(layer, [kind]);
    if (found === undefined) return;
    this.fail(
      `tensor "${found}" is there, and the configuration of layer "${layer}" says that it has no ${kind}.`,
    );
  }

  /** A tensor of one value that the file leaves out. @throws ScoreCamError `weights` where it does not */
  make(layer: string, kind: string, channels: number, fill: number): string {
    this.refuse(layer, kind);
    const name = `${layer}/${kind}`;
    const shape = [channels];
    this.tensors.set(name, {
      shape,
      dtype: 'F32',
      stored: undefined,
      fill,
      axes: undefined,
      from: shape,
    });
    return name;
  }

  /** Puts what was taken into the order of the file: it is read forwards. */
  sort(): void {
    const places = new Map([...this.file.tensors.keys()].map((name, place) => [name, place]));
    const sorted = [...this.tensors].sort(
      ([a], [b]) => (places.get(a) ?? Infinity) - (places.get(b) ?? Infinity) || 0,
    );
    this.tensors.clear();
    for (const [name, facts] of sorted) this.tensors.set(name, facts);
  }

  async read(name: string, start: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const { stored, fill, axes, from } = this.tensors.get(name) as Turned;
    if (stored === undefined) return new Float32Array(count).fill(fill);
    if (!axes) return this.file.read(stored, start, count);
    if (this.latest?.name !== name) {
      this.latest = undefined;
      const values = await this.file.read(stored, 0, elementCount(from));
      this.latest = { name, values: permuted(values, from, axes) };
    }
    return this.latest.values.slice(start, start + count);
  }

  async verify(): Promise<void> {
    await this.file.verify?.();
  }

  async close(): Promise<void> {
    await this.file.close?.();
  }
}

/** The elements of a tensor of shape `from`, its axes in another order. */
function permuted(
  values: Float32Array,
  from: readonly number[],
  axes: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = from.map((_, axis) => elementCount(from.slice(axis + 1)));
  const sizes = axes.map((axis) => from[axis] as number);
  const steps = axes.map((axis) => strides[axis] as number);
  const turned = new Float32Array(values.length);
  const at = sizes.map(() => 0);
  for (let to = 0, source = 0; to < turned.length; to++) {
    turned[to] = values[source] as number;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      source += steps[axis] as number;
      at[axis] = (at[axis] as number) + 1;
      if ((at[axis] as number) < (sizes[axis] as number)) break;
      source -= (sizes[axis] as number) * (steps[axis] as number);
      at[axis] = 0;
    }
  }
  return turned;
}
