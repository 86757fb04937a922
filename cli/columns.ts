import { columnScales, encodeColumns } from '../src/model/encode-columns';
import { type EncodedRows, scaleName } from '../src/model/encoding';
import { sizeOf } from '../src/model/network';
import type { WeightBlock } from '../src/model/weight-block';
import type { WeightDtype } from '../src/numbers/dtypes';

type ColumnBlock = Extract<WeightBlock, { kind: 'columns' }>;

/**
 * A fully connected layer that arrives input by input (Keras' layout), turned round in memory in its
 * final form: 411 MB for VGG-16's largest in f32, a quarter of it in int8.
 */
export class Columns {
  private readonly layer: ColumnBlock['layer'];
  private readonly unflattened: ColumnBlock['unflattened'];
  private readonly dtype: WeightDtype;
  private readonly scales: Float32Array<ArrayBuffer> | undefined;
  /** [outFeatures, inFeatures], inputs flattened in CHW order */
  private readonly data: EncodedRows['data'];
  private done = 0;

  /** @param first Any of the layer's blocks. */
  constructor(first: ColumnBlock, dtype: WeightDtype) {
    this.layer = first.layer;
    this.unflattened = first.unflattened;
    this.dtype = dtype;
    this.scales = first.largest && columnScales(first.largest);
    this.data = array(dtype, this.layer.output.channels * sizeOf(this.layer.input));
  }

  get isComplete(): boolean {
    return this.done === sizeOf(this.layer.input);
  }

  add({ first, count, values }: ColumnBlock): void {
    const { channels, height, width } = this.unflattened;
    const plane = height * width;
    const inputs = channels * plane;
    const outputs = this.layer.output.channels;
    const encoded = encodeColumns(values, outputs, this.dtype, this.scales);
    for (let r = 0; r < count; r++) {
      // From HWC to CHW order.
      const source = first + r;
      const input = (source % channels) * plane + Math.floor(source / channels);
      for (let o = 0; o < outputs; o++) {
        this.data[o * inputs + input] = encoded[r * outputs + o] as number;
      }
    }
    this.done += count;
  }

  /** The layer's tensors, whole. */
  parts(): { readonly tensor: string; readonly bytes: Uint8Array }[] {
    const { weight } = this.layer;
    const whole = { tensor: weight, bytes: new Uint8Array(this.data.buffer) };
    if (!this.scales) return [whole];
    return [{ tensor: scaleName(weight), bytes: new Uint8Array(this.scales.buffer) }, whole];
  }
}

function array(dtype: WeightDtype, length: number): EncodedRows['data'] {
  if (dtype === 'f32') return new Float32Array(length);
  return dtype === 'f16' ? new Uint16Array(length) : new Int8Array(length);
}
