import { ScoreCamError } from '../errors';
import { Arena } from '../gpu/arena';
import type { Gpu } from '../gpu/gpu';
import type { Slice } from '../gpu/kernel';
import { softmax } from '../kernels/layers/softmax';
import { mapRanges } from '../kernels/maps/map_ranges';
import { type Layer, sizeOf, targetIndex } from '../model/network';
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
  const { logits, kept } = await runner.forward(input, arena, [...options.layers, ...options.keep]);
  const probabilities = await softmaxRows(gpu, logits, network.labels.length);
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

/**
 * Softmax of each row of [rows, classes] logits.
 * @throws ScoreCamError `not-finite`
 */
export async function softmaxRows(
  gpu: Gpu,
  logits: Float32Array,
  classes: number,
): Promise<Float32Array> {
  checkFinite(logits, 'The logits');
  const arena = new Arena(gpu);
  try {
    const probabilities = arena.take('probabilities', logits.byteLength);
    await gpu.submit('softmax', [
      softmax({
        label: 'scores',
        logits: arena.upload('logits', logits as Float32Array<ArrayBuffer>),
        probabilities,
        rows: logits.length / classes,
        classes,
      }),
    ]);
    return await gpu.read(probabilities.buffer, logits.length);
  } finally {
    arena.dispose();
  }
}

/** @throws ScoreCamError `not-finite` naming the value and where it is. */
export function checkFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new ScoreCamError(
      'not-finite',
      `${what} hold ${values[i]} at index ${i}: the weights overflow in f32, or the image does.`,
    );
  }
}
