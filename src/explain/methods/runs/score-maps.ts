import type { Arena } from '../../../gpu/arena';
import { mapRanges } from '../../../kernels/maps/map_ranges';
import type { Runner, Scores } from '../../../runtime/runner';
import type { Forward } from '../../forward';
import type { ActivationMaps } from '../../saliency';
import type { RunOptions } from '../method';

/**
 * [maps, classes] scores of the image under each map, upsampled and normalised; zeros for a map that is constant then, which
 * no pass is run for.
 */
export async function scoreMaps(
  runner: Runner,
  arena: Arena,
  image: Forward['input'],
  { data, count, height, width }: ActivationMaps,
  {
    choice: { validate },
    finished,
    memoryBudget,
    signal,
    onPasses,
  }: RunOptions & { readonly onPasses: (done: number) => void },
): Promise<Scores> {
  // Of a layer that shows nothing there is no map at all.
  if (count === 0) return { logits: new Float32Array(0), probabilities: new Float32Array(0) };
  const { gpu, network } = runner;
  const maps = arena.upload('maps as masks', data as Float32Array<ArrayBuffer>);
  const ranges = arena.take('ranges of masks', 8 * count);
  const dispatch = mapRanges({
    label: 'maps as masks',
    maps,
    count,
    mapHeight: height,
    mapWidth: width,
    height: network.input.height,
    width: network.input.width,
    alignCorners: false,
    ranges,
  });
  const [limits] = await gpu.compute('ranges of masks', [dispatch], [ranges]);
  // Contrast can vanish in upsampling from a map to a smaller image.
  const channels = Uint32Array.from(Array(count).keys()).filter(
    (k) => (limits[2 * k + 1] as number) > (limits[2 * k] as number),
  );
  const masks = { maps, height, width, ranges, channels, alignCorners: false };
  const run = { finished, validate, memoryBudget, signal, onPasses };
  const { logits, probabilities } = await runner.maskedScores(image, masks, run);
  const classes = network.labels.length;
  const spread = (rows: Float32Array): Float32Array<ArrayBuffer> => {
    const all = new Float32Array(count * classes);
    channels.forEach((k, row) => {
      all.set(rows.subarray(row * classes, (row + 1) * classes), k * classes);
    });
    return all;
  };
  return { logits: spread(logits), probabilities: spread(probabilities) };
}
