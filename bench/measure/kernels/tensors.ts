import type { Slice } from '../../../src/gpu/kernel';
import { ablateChannels } from '../../../src/kernels/inputs/ablate_channels';
import { singlePositions } from '../../../src/kernels/inputs/single_positions';
import { activationBackward } from '../../../src/kernels/layers/activation_backward';
import { globalAveragePool } from '../../../src/kernels/layers/global_average_pool';
import { globalAveragePoolBackward } from '../../../src/kernels/layers/global_average_pool_backward';
import { largestMagnitude } from '../../../src/kernels/layers/largest_magnitude';
import { maxPool } from '../../../src/kernels/layers/max_pool';
import { maxPoolBackward } from '../../../src/kernels/layers/max_pool_backward';
import { softmax } from '../../../src/kernels/layers/softmax';
import { batchFor, type Scale } from '../scale';
import { bytesOf, type Subject, type Tensors, values, type Work } from './subject';

/** The output of conv2_2, which pooling reads, and of conv5_3. */
const WIDE = { channels: 128, height: 112, width: 112 } as const;
const DEEP = { channels: 512, height: 14, width: 14 } as const;

const elements = ({ channels, height, width }: typeof WIDE | typeof DEEP): number =>
  channels * height * width;

const copies = (scale: Scale, count: number): number =>
  batchFor(scale, { flop: 0, bytes: bytesOf(2 * count), largest: bytesOf(count) });

/** A kernel that goes over a batch of tensors of one shape, some of which it reads. */
function over(
  name: string,
  group: string,
  shape: typeof WIDE | typeof DEEP,
  record: (
    batch: number,
    of: { read: (count: number) => Slice; write: (count: number) => Slice; size: number },
  ) => Work['run'],
  flopPerElement = 0,
): Subject {
  return {
    name,
    group,
    record(tensors: Tensors, scale) {
      const size = elements(shape);
      const batch = copies(scale, size);
      let touched = 0;
      const run = record(batch, {
        size,
        read: (count) => {
          touched += count;
          return tensors.upload('read', values(count));
        },
        write: (count) => {
          touched += count;
          return tensors.take('written', bytesOf(count));
        },
      });
      return { run, batch, flop: flopPerElement * batch * size, bytes: bytesOf(touched) };
    },
  };
}

const label = 'tensor';

export const tensorSubjects: readonly Subject[] = [
  over(
    'max_pool',
    'pooling',
    WIDE,
    (batch, { read, write, size }) => [
      maxPool({
        label,
        ...WIDE,
        batch,
        input: read(batch * size),
        output: write((batch * size) / 4),
      }),
    ],
    3 / 4,
  ),
  over(
    'global_average_pool',
    'pooling',
    DEEP,
    (batch, { read, write, size }) => [
      globalAveragePool({
        label,
        ...DEEP,
        batch,
        input: read(batch * size),
        output: write(batch * DEEP.channels),
      }),
    ],
    1,
  ),
  over('largest_magnitude', 'pooling', WIDE, (batch, { read, write, size }) => [
    largestMagnitude({
      label,
      first: 0,
      count: batch * size,
      slot: 0,
      values: read(batch * size),
      slots: write(1),
    }),
  ]),
  {
    name: 'softmax',
    group: 'pooling',
    record(tensors, { small }) {
      const rows = small ? 64 : 512;
      const classes = 1000;
      const count = rows * classes;
      const logits = tensors.upload('logits', values(count));
      const probabilities = tensors.take('probabilities', bytesOf(count));
      return {
        run: [softmax({ label, rows, classes, logits, probabilities })],
        batch: rows,
        // Largest, difference, exponential, sum, division.
        flop: 5 * count,
        bytes: bytesOf(2 * count),
      };
    },
  },
  over('ablate_channels', 'copies', DEEP, (batch, { read, write, size }) => [
    ablateChannels({
      label,
      batch,
      channels: DEEP.channels,
      pixels: DEEP.height * DEEP.width,
      first: 0,
      maps: read(size),
      output: write(batch * size),
    }),
  ]),
  over('single_positions', 'copies', DEEP, (batch, { read, write, size }) => [
    singlePositions({
      label,
      batch,
      ...DEEP,
      first: 0,
      maps: read(size),
      output: write(batch * size),
    }),
  ]),
  over(
    'activation_backward',
    'backward',
    WIDE,
    (batch, { read, write, size }) => [
      activationBackward({
        label,
        count: batch * size,
        activation: 0,
        activated: read(batch * size),
        gradient: read(batch * size),
        result: write(batch * size),
      }),
    ],
    1,
  ),
  over('max_pool_backward', 'backward', WIDE, (batch, { read, write, size }) => [
    maxPoolBackward({
      label,
      ...WIDE,
      batch,
      input: read(batch * size),
      gradient: read((batch * size) / 4),
      result: write(batch * size),
    }),
  ]),
  over(
    'global_average_pool_backward',
    'backward',
    DEEP,
    (batch, { read, write, size }) => [
      globalAveragePoolBackward({
        label,
        ...DEEP,
        batch,
        gradient: read(batch * DEEP.channels),
        result: write(batch * size),
      }),
    ],
    1,
  ),
];
