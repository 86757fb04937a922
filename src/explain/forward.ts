import type { Arena } from '../gpu/arena';
import type { Slice } from '../gpu/kernel';
import { mapRanges } from '../kernels/maps/map_ranges';
import { type Layer, sizeOf, targetIndex } from '../model/network';
import { checkFinite } from '../numbers/finite';
import type { Runner } from '../runtime/runner';
import type { ActivationMaps } from './saliency';

/** A target layer's activation maps for one image. */
export interface Target {
  readonly name: string;
  /** The maps on the GPU, [count, height, width]. */
  readonly activations: Slice;
  /** The same, read back. */
  readonly maps: ActivationMaps;
  /** [count] pairs (min, max) of the upsampled maps on the GPU, or of the maps as they are. */
  readonly ranges: Slice;
  /** Channels whose upsampled map is constant. */
  readonly constantChannels: readonly number[];
}

/** One image's forward pass: what every method starts from. */
export interface Forward {
  readonly runner: Runner;
  readonly arena: Arena;
  /** The normalised image on the GPU, [3, height, width]. */
  readonly input: Slice;
  /** [classes] */
  readonly logits: Float32Array;
  /** [classes] */
  readonly probabilities: Float32Array;
  readonly targets: readonly Target[];
  /** Outputs of the layers that were asked for besides the targets, and of the targets, on the GPU. */
  readonly kept: ReadonlyMap<string, Slice>;
}

export interface ForwardOptions {
  readonly layers: readonly string[];
  /** Further layers whose outputs are wanted. */
  readonly keep: readonly string[];
  readonly alignCorners: boolean;
  /** Ranges of the maps as they are, before upsampling. */
  readonly ownRanges: boolean;
}

/**
 * Runs the network once, keeping the target layers' activation maps in the caller's arena.
 * @throws ScoreCamError `not-finite` if an activation or a logit overflows.
 */
export async function runForward(
  runner: Runner,
  input: Slice,
  arena: Arena,
  options: ForwardOptions,
): Promise<Forward> {
  const { gpu, network } = runner;
  const wanted = [...options.layers, ...options.keep];
  const { logits, probabilities, kept } = await runner.forward(input, arena, wanted);
  const targets: Target[] = [];
  for (const name of options.layers) {
    const layer = network.layers[targetIndex(network, name)] as Layer;
    const { channels: count, height, width } = layer.output;
    const activations = kept.get(name) as Slice;
    const size = options.ownRanges ? { height, width } : network.input;
    const ranges = arena.take(`map ranges of ${name}`, 8 * count);
    await gpu.submit('map ranges', [
      mapRanges({
        label: 'activation maps',
        maps: activations,
        count,
        mapHeight: height,
        mapWidth: width,
        height: size.height,
        width: size.width,
        alignCorners: options.alignCorners,
        ranges,
      }),
    ]);
    const limits = await gpu.read(ranges.buffer, 2 * count);
    checkFinite(limits, `The activation maps of ${name}`);
    const constantChannels = Array.from({ length: count }, (_, k) => k).filter(
      (k) => !((limits[2 * k + 1] as number) > (limits[2 * k] as number)),
    );
    const data = await gpu.read(activations.buffer, sizeOf(layer.output));
    targets.push({
      name,
      activations,
      maps: { data, count, height, width },
      ranges,
      constantChannels,
    });
  }
  return { runner, arena, input, logits, probabilities, targets, kept };
}
