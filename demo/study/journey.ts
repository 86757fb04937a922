import { overlayOf } from '../../src/explain/draw';
import type { LayerEvidence } from '../../src/explain/evidence';
import { normalise } from '../../src/explain/image';
import { standardDeviations } from '../../src/explain/methods/runs/channels';
import { saliencyMap } from '../../src/explain/saliency';
import { Arena } from '../../src/gpu/arena';
import type { Explainer, Explanation, SaliencyMap } from '../../src/index';
import { applyMask } from '../../src/kernels/inputs/apply_mask';
import { mapRanges } from '../../src/kernels/maps/map_ranges';
import { upsample } from '../../src/kernels/maps/upsample';
import { upsampleNormalise } from '../../src/kernels/maps/upsample_normalise';
import { FinishedScores } from '../../src/runtime/finished';
import { runnerOf, runOf } from './inside';

/** One activation map's part in an explanation. */
export interface Channel {
  readonly channel: number;
  /** [mapHeight, mapWidth], as the forward pass left it. */
  readonly map: Float32Array;
  /** Over its pixels. */
  readonly deviation: number;
  /** alpha_k in the sum: of the official weighting p_c(X o H_k). */
  readonly weight: number;
  /** Channel-wise increase of confidence, p_c(X o H_k) - p_c(X_b): Eq. 6. */
  readonly increase: number;
  /** z_c(X o H_k). */
  readonly logit: number;
}

/** What the steps from one activation map to its score leave behind. */
export interface Steps {
  /** Up(A_k), [height, width]. */
  readonly upsampled: Float32Array;
  /** Smallest and largest value of it. */
  readonly range: readonly [min: number, max: number];
  /** H_k, [height, width]. */
  readonly mask: Float32Array;
  /** X o H_k, as a picture. */
  readonly picture: ImageData;
  /** The class's logit of a pass over that very picture. */
  readonly logit: number;
  readonly probability: number;
}

/** One explanation by Score-CAM, step by step. What it holds is in page memory; the steps run on the explainer's GPU. */
export class Journey {
  readonly explanation: Explanation;
  readonly mapWidth: number;
  readonly mapHeight: number;
  /** Those that have a mask: a constant map marks nothing, and weighs nothing. */
  readonly channels: readonly Channel[];
  /** p_c(X_b). */
  readonly baseline: number;
  private readonly explainer: Explainer;
  private readonly evidence: LayerEvidence;

  private constructor(
    explainer: Explainer,
    explanation: Explanation,
    evidence: LayerEvidence,
    increases: Float32Array,
  ) {
    const { maps, weights } = evidence;
    const skipped = new Set(explanation.constantChannels);
    const deviations = standardDeviations(maps);
    const pixels = maps.height * maps.width;
    const classes = explainer.model.labels.length;
    this.explainer = explainer;
    this.explanation = explanation;
    this.evidence = evidence;
    this.mapWidth = maps.width;
    this.mapHeight = maps.height;
    this.channels = Array.from({ length: maps.count }, (_, channel) => ({
      channel,
      map: maps.data.subarray(channel * pixels, (channel + 1) * pixels),
      deviation: deviations[channel] as number,
      weight: weights[channel] as number,
      increase: increases[channel] as number,
      logit: explanation.scores[channel * classes + explanation.class.index] as number,
    })).filter(({ channel }) => !skipped.has(channel));
    const [any] = this.channels;
    this.baseline = any ? any.weight - any.increase : 0;
  }

  /** @param explanation by score-cam, weighted by `probability`, of one target layer */
  static async of(explainer: Explainer, explanation: Explanation): Promise<Journey> {
    const { evidence } = runOf(explanation);
    const [own] = await evidence.ofClass(explanation.class.index, new FinishedScores());
    const { weights } = await explanation.withWeighting('increase');
    return new Journey(explainer, explanation, own as LayerEvidence, weights);
  }

  /** The same run, seen for another class. */
  async forClass(index: number): Promise<Journey> {
    return Journey.of(this.explainer, await this.explanation.forClass(index));
  }

  /** From a map to its score, each step by the kernel of that name, and a pass over the masked picture. */
  async stepsOf({ map }: Channel): Promise<Steps> {
    const runner = runnerOf(this.explainer);
    const { input } = this.explainer.model;
    const { height, width } = input;
    const image = normalise(runOf(this.explanation).pixels, { input }) as Float32Array<ArrayBuffer>;
    return runner.lasting(async () => {
      const { gpu } = runner;
      const arena = new Arena(gpu);
      try {
        const size = { mapHeight: this.mapHeight, mapWidth: this.mapWidth, height, width };
        const shared = { ...size, label: 'a step', alignCorners: false };
        const maps = arena.upload('map', map);
        const channels = arena.upload('channel', Uint32Array.of(0));
        const whole = arena.upload('image', image);
        const upsampled = arena.take('upsampled', 4 * height * width);
        const ranges = arena.take('range', 8);
        const masks = arena.take('mask', 4 * height * width);
        const masked = arena.take('masked image', 12 * height * width);
        const [up, [min, max], mask, values] = await gpu.compute(
          'a map, step by step',
          [
            upsample({ ...shared, count: 1, relu: false, input: maps, output: upsampled }),
            mapRanges({ ...shared, count: 1, maps, ranges }),
            upsampleNormalise({ ...shared, batch: 1, firstMask: 0, maps, ranges, channels, masks }),
            applyMask({ ...shared, batch: 1, channels: 3, image: whole, masks, output: masked }),
          ],
          [upsampled, ranges, masks, masked],
        );
        const { logits, probabilities } = await runner.forward(masked, arena);
        const { index } = this.explanation.class;
        return {
          upsampled: up,
          range: [min as number, max as number],
          mask,
          picture: pictureOf(values, input),
          logit: logits[index] as number,
          probability: probabilities[index] as number,
        } satisfies Steps;
      } finally {
        arena.dispose();
      }
    });
  }

  /** The map that the sum over these channels alone makes; over all of them, the explanation's. */
  sumOf(channels: readonly Channel[]): Promise<SaliencyMap> {
    const runner = runnerOf(this.explainer);
    const { evidence, pixels } = runOf(this.explanation);
    const { maps, alpha } = this.evidence;
    const own = new Float32Array(alpha.length);
    for (const { channel } of channels) own[channel] = alpha[channel] as number;
    const { height, width } = pixels;
    return runner.lasting(() => saliencyMap(runner.gpu, maps, own, height, width, evidence.rule));
  }

  /** A map over the image, as the library draws an explanation's. */
  overlay(map: SaliencyMap): Promise<ImageData> {
    const runner = runnerOf(this.explainer);
    const { pixels } = runOf(this.explanation);
    return runner.lasting(() => overlayOf(runner.gpu, map, pixels, {}));
  }
}

/** A normalised image [3, height, width] in colours again: the inverse of the library's `normalise`. */
function pictureOf(
  values: Float32Array,
  { width, height, mean, std }: Explainer['model']['input'],
): ImageData {
  const picture = new ImageData(width, height);
  const pixels = width * height;
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      const value = (values[c * pixels + i] as number) * (std[c] as number) + (mean[c] as number);
      picture.data[4 * i + c] = 255 * value;
    }
    picture.data[4 * i + 3] = 255;
  }
  return picture;
}
