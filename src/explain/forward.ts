import type { Arena } from '../gpu/arena';
import type { Slice } from '../gpu/kernel';
import { mapRanges } from '../kernels/maps/map_ranges';
import { type Layer, type Shape, targetIndex } from '../model/network';
import { checkFinite } from '../numbers/finite';
import type { Runner } from '../runtime/runner';
import type { LayerMagnitude } from '../runtime/scores';
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
  /** `ranges`, read back. */
  readonly limits: Float32Array;
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
  readonly magnitudes: readonly LayerMagnitude[];
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
 * @throws ScoreCamError `not-finite` naming the first layer that overflows.
 */
export async function runForward(
  runner: Runner,
  input: Slice,
  arena: Arena,
  options: ForwardOptions,
): Promise<Forward> {
  const { network } = runner;
  const layers = options.layers.map((name) => {
    const { output } = network.layers[targetIndex(network, name)] as Layer;
    return { name, output, ranges: arena.take(`map ranges of ${name}`, 8 * output.channels) };
  });
  const forward = await runner.forward(input, arena, {
    keep: [...options.layers, ...options.keep],
    following: (kept) => ({
      dispatches: layers.map(({ name, output, ranges }) =>
        mapRanges({
          label: `activation maps of ${name}`,
          maps: kept.get(name) as Slice,
          count: output.channels,
          mapHeight: output.height,
          mapWidth: output.width,
          ...(options.ownRanges ? sizeIn(output) : sizeIn(network.input)),
          alignCorners: options.alignCorners,
          ranges,
        }),
      ),
      reads: layers.flatMap(({ name, ranges }) => [ranges, kept.get(name) as Slice]),
    }),
  });
  const { logits, probabilities, magnitudes, kept, read } = forward;
  const targets = layers.map(({ name, output, ranges }, i): Target => {
    const { channels: count, height, width } = output;
    const [limits, data] = read.slice(2 * i, 2 * i + 2) as [Float32Array, Float32Array];
    // Between values of both signs that are nearly too large, interpolation overflows.
    checkFinite(limits, `The ranges of the activation maps of ${name}`);
    return {
      name,
      activations: kept.get(name) as Slice,
      maps: { data, count, height, width },
      ranges,
      limits,
      constantChannels: Array.from({ length: count }, (_, k) => k).filter(
        (k) => !((limits[2 * k + 1] as number) > (limits[2 * k] as number)),
      ),
    };
  });
  return { runner, arena, input, logits, probabilities, magnitudes, targets, kept };
}

const sizeIn = ({ height, width }: Shape): Pick<Shape, 'height' | 'width'> => ({ height, width });
