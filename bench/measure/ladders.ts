import { Arena } from '../../src/gpu/arena';
import type { Gpu } from '../../src/gpu/gpu';
import { convLadder, convLayer, linearLadder, linearLayer, type Recorded } from '../ladder/ladder';
import { convBatch, convFlop, layerShape } from './kernels/convolutions';
import { bytesOf, runsOn, values } from './kernels/subject';
import { batchFor, type Scale } from './scale';
import type { Timer } from './timer';
import type { Measurement } from './types';

/** Something that is measured in one go. */
export interface Step {
  readonly name: string;
  run(): Promise<void>;
}

/** Winograd's intermediate tensors: 36 values for 16. */
const SCRATCH = 36 / 16;

/** A step a rung of each ladder (bench/ladder). */
export function ladderSteps(
  gpu: Gpu,
  timer: Timer,
  scale: () => Scale,
  onResult: (result: Measurement) => void,
): Step[] {
  const time = async (
    record: (arena: Arena) => Recorded,
    facts: Pick<Measurement, 'group' | 'name' | 'batch' | 'flop' | 'bytes' | 'asDirect' | 'note'>,
  ): Promise<void> => {
    const arena = new Arena(gpu);
    try {
      const { load, run } = record(arena);
      await gpu.submit(`load ${facts.name}`, load);
      onResult({ section: 'ladder', ...facts, ...(await timer.time(facts.name, run)) });
    } finally {
      arena.dispose();
    }
  };
  return [
    ...convLadder.filter(runsOn(gpu)).map((rung) => ({
      name: `ladder, 3x3: ${rung.name}`,
      run: () => {
        const shape = layerShape(scale());
        const { inChannels, outChannels, height, width } = shape;
        const input = inChannels * height * width;
        const batch = convBatch(scale(), shape, SCRATCH * bytesOf(input));
        const weights = inChannels * outChannels * 9;
        const group = `3x3 convolution, ${inChannels} to ${outChannels} channels at ${height} x ${width}`;
        return time(
          (arena) =>
            rung.record({
              ...convLayer(
                arena,
                shape,
                batch,
                values(batch * input),
                values(weights),
                values(outChannels),
              ),
              quads: scale().quads,
            }),
          {
            group,
            name: rung.name,
            note: rung.idea,
            batch,
            flop: batch * convFlop(shape),
            asDirect: rung.name.includes('Winograd'),
            bytes: bytesOf(batch * (input + outChannels * height * width), weights),
          },
        );
      },
    })),
    ...linearLadder.filter(runsOn(gpu)).map((rung) => ({
      name: `ladder, fully connected: ${rung.name}`,
      run: () => {
        const { small } = scale();
        const inFeatures = 4096;
        const outFeatures = small ? 1024 : 4096;
        const flop = 2 * inFeatures * outFeatures;
        const largest = bytesOf(inFeatures);
        const batch = Math.max(8, batchFor(scale(), { flop, bytes: 0, largest }));
        const size = { inFeatures, outFeatures, activation: 0, batch };
        return time(
          (arena) =>
            rung.record({
              ...linearLayer(
                arena,
                size,
                values(batch * inFeatures),
                values(inFeatures * outFeatures),
                values(outFeatures),
              ),
              quads: scale().quads,
            }),
          {
            group: `fully connected layer, ${inFeatures} to ${outFeatures}, ${batch} images`,
            name: rung.name,
            note: rung.idea,
            batch,
            flop: batch * flop,
            bytes: bytesOf(inFeatures * outFeatures, batch * (inFeatures + outFeatures)),
          },
        );
      },
    })),
  ];
}
