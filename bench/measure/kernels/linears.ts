import { rowStride } from '../../../src/kernels/linear/linear';
import { linearBackward } from '../../../src/kernels/linear/linear_backward';
import { linearColumns } from '../../../src/kernels/linear/linear_columns';
import { WEIGHT_BYTES, type WeightDtype } from '../../../src/numbers/dtypes';
import { type AnyLinearTiling, anyLinear, anyPartialSums } from '../../ladder/naive';
import { batchFor, type Scale } from '../scale';
import { bytesOf, rawBytes, type Subject, type Tensors, values } from './subject';

const TILINGS: readonly AnyLinearTiling[] = ['naive', 'registers', 'quads', 'workgroup'];
const DTYPES: readonly WeightDtype[] = ['f32', 'f16', 'int8'];

/** fc2 of VGG-16, or a quarter of its rows. */
const sizeOf = ({ small }: Pick<Scale, 'small'>) => ({
  inFeatures: 4096,
  outFeatures: small ? 1024 : 4096,
});

/** The masks' features go through together: as many as keep the adapter busy. */
function manyFor(scale: Scale): number {
  const { inFeatures, outFeatures } = sizeOf(scale);
  const item = { flop: 2 * inFeatures * outFeatures, bytes: 0, largest: bytesOf(inFeatures) };
  return Math.max(8, batchFor(scale, item));
}

function weightTensors(tensors: Tensors, scale: Scale, dtype: WeightDtype) {
  const { inFeatures, outFeatures } = sizeOf(scale);
  const count = outFeatures * rowStride(inFeatures);
  const data = dtype === 'f32' ? values(count) : rawBytes(WEIGHT_BYTES[dtype] * count);
  return {
    weights: tensors.upload('weights', data),
    affine: tensors.upload('affine', values(2 * outFeatures)),
    weightBytes: WEIGHT_BYTES[dtype] * count,
  };
}

/** @param whole K in one part, however few workgroups that makes */
function subject(
  tiling: AnyLinearTiling,
  dtype: WeightDtype,
  many: boolean,
  whole = false,
): Subject {
  return {
    name: `linear_${tiling}_${dtype}, ${many ? 'many images' : '1 image'}${whole ? ', K whole' : ''}`,
    group: 'fully connected',
    needs: tiling === 'quads' ? 'subgroups' : undefined,
    record(tensors, scale) {
      const { inFeatures, outFeatures } = sizeOf(scale);
      const batch = many ? manyFor(scale) : 1;
      const { weightBytes, ...own } = weightTensors(tensors, scale, dtype);
      const sums = whole
        ? 0
        : anyPartialSums(tiling, { inFeatures, shardOutputs: outFeatures, batch });
      return {
        run: [
          ...anyLinear(tiling, {
            label: 'fc',
            dtype,
            inFeatures,
            outFeatures,
            firstOutput: 0,
            shardOutputs: outFeatures,
            activation: 0,
            batch,
            input: tensors.upload('input', values(batch * inFeatures)),
            ...own,
            output: tensors.take('output', bytesOf(batch * outFeatures)),
            quads: scale.quads,
            partial: sums > 0 ? tensors.take('partial sums', bytesOf(sums)) : undefined,
          }),
        ],
        batch,
        flop: 2 * batch * inFeatures * outFeatures,
        bytes: weightBytes + bytesOf(batch * (inFeatures + outFeatures), 2 * outFeatures),
      };
    },
  };
}

const backward = DTYPES.map(
  (dtype): Subject => ({
    name: `linear_backward_${dtype}`,
    group: 'backward',
    record(tensors, scale) {
      const { inFeatures, outFeatures } = sizeOf(scale);
      const { weightBytes, ...own } = weightTensors(tensors, scale, dtype);
      return {
        run: [
          linearBackward({
            label: 'fc',
            dtype,
            inFeatures,
            outFeatures,
            firstOutput: 0,
            shardOutputs: outFeatures,
            batch: 1,
            accumulate: false,
            gradient: tensors.upload('gradient', values(outFeatures)),
            ...own,
            result: tensors.take('result', bytesOf(inFeatures)),
          }),
        ],
        flop: 2 * inFeatures * outFeatures,
        bytes: weightBytes + bytesOf(inFeatures, 3 * outFeatures),
      };
    },
  }),
);

const columns: Subject = {
  name: 'linear_columns',
  group: 'loading',
  record(tensors, scale) {
    const { inFeatures, outFeatures } = sizeOf(scale);
    const rows = 512;
    return {
      run: [
        linearColumns({
          label: 'fc',
          dtype: 'f32',
          firstRow: 0,
          rows,
          channels: inFeatures,
          plane: 1,
          outFeatures,
          firstOutput: 0,
          shardOutputs: outFeatures,
          elements: tensors.upload('elements', rawBytes(bytesOf(rows * outFeatures))),
          weights: tensors.take('weights', bytesOf(outFeatures * inFeatures)),
        }),
      ],
      flop: 0,
      bytes: bytesOf(2 * rows * outFeatures),
    };
  },
};

export const linearSubjects: readonly Subject[] = [
  ...[false, true].flatMap((many) =>
    TILINGS.flatMap((tiling) => DTYPES.map((dtype) => subject(tiling, dtype, many))),
  ),
  ...DTYPES.map((dtype) => subject('workgroup', dtype, false, true)),
  ...backward,
  columns,
];
