import type { WeightDtype } from '../../numbers/dtypes';
import { encodeF16 } from '../../numbers/f16';
import type { TensorDtype } from '../../numbers/tensor_dtypes';
import { CONV_DTYPE, type EncodedRows, encodeRows, LINEAR_DTYPE, scaleName } from '../encoding';
import { weightShape } from '../network';
import type { WeightBlock } from '../weight-block';

/** A piece of a tensor in the form it is kept in: elements start ... start + count, little-endian. */
export interface TensorPart {
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly dtype: TensorDtype;
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A block as parts to keep. Columns come in no order that could be kept: they have none. */
export async function partsOf(
  block: Exclude<WeightBlock, { kind: 'columns' }>,
  dtype: WeightDtype,
  encoded?: EncodedRows,
): Promise<TensorPart[]> {
  const { layer } = block;
  const shape = weightShape(layer);
  const [outputs = 0, inFeatures = 0] = shape;
  const part = (
    tensor: string,
    shape: readonly number[],
    dtype: TensorDtype,
    start: number,
    data: EncodedRows['data'],
  ): TensorPart => ({
    tensor,
    shape,
    dtype,
    start,
    bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
  if (block.kind === 'bias') return [part(layer.bias, [outputs], 'F32', 0, block.values)];
  if (block.kind === 'conv') {
    const { weight, bias } = block;
    const data = dtype === 'f32' ? weight : encodeF16(weight);
    return [
      part(layer.weight, shape, CONV_DTYPE[dtype], 0, data),
      part(layer.bias, [outputs], 'F32', 0, bias),
    ];
  }
  const { data, scales } =
    encoded ?? (await encodeRows(block.values, block.count, dtype, block.scales));
  const start = block.first * inFeatures;
  return [
    ...(scales ? [part(scaleName(layer.weight), [outputs], 'F32', block.first, scales)] : []),
    part(layer.weight, shape, LINEAR_DTYPE[dtype], start, data),
  ];
}
