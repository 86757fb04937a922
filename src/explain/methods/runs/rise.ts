import { Arena } from '../../../gpu/arena';
import { once } from '../../../runtime/once';
import type { Evidence } from '../../evidence';
import type { Forward } from '../../forward';
import { progressMeter } from '../../progress';
import { uniform } from '../../random';
import { column } from '../column';
import { questionOf } from '../finer';
import type { RunOptions } from '../method';
import { blend, type Place, place } from './bilinear';
import { ofImage } from './of-image';

/** Cells of a mask's grid along a side, and the share of them that are open (the paper's ImageNet setting). */
export const RISE_CELLS = 7;
export const RISE_OPEN = 0.5;

/** Masks at full size that are in memory at once are at most these, whatever the memory budget. */
const BLOCK = 64;

/**
 * RISE (Petsiuk, Das and Saenko 2018, Eq. 6): the mean of random masks M_i, each weighed by p_c(X o M_i) and
 * divided by the mean of a mask. It asks nothing but the scores; no layer is looked into.
 */
export async function rise(forward: Forward, options: RunOptions): Promise<Evidence> {
  const { runner, input, logits } = forward;
  const { choice, finished, memoryBudget, signal } = options;
  const total = choice.masks as number;
  const seed = choice.seed as number;
  const { height, width } = runner.network.input;
  const classes = runner.network.labels.length;
  const size = height * width;
  const meter = progressMeter('masks', options.onProgress);
  let scores = new Float32Array(total * classes);
  const fitting = Math.max(1, Math.floor(memoryBudget / 4 / (4 * size)));
  const block = Math.min(BLOCK, fitting);
  const draw = riseMasks(height, width, seed);
  for (let first = 0; first < total; first += block) {
    const count = Math.min(block, total - first);
    const data = new Float32Array(count * size);
    for (let i = 0; i < count; i++) draw(data.subarray(i * size, (i + 1) * size));
    const arena = new Arena(runner.gpu);
    try {
      const masks = {
        maps: arena.upload('random masks', data),
        height,
        width,
        // Masks are in [0, 1] already.
        ranges: arena.upload(
          'ranges',
          Float32Array.from({ length: 2 * count }, (_, i) => i % 2),
        ),
        channels: Uint32Array.from(Array(count).keys()),
        alignCorners: false,
      };
      const onPasses = (done: number): void => meter(first + done, total);
      const validate = choice.validate && first === 0;
      const run = { finished, validate, memoryBudget: 0.75 * memoryBudget, signal, onPasses };
      scores = await once(finished, async () => {
        const { probabilities } = await runner.maskedScores(input, masks, run);
        scores.set(probabilities, first * classes);
        return scores;
      });
    } finally {
      arena.dispose();
    }
  }
  return {
    rule: { relu: 'none', alignCorners: false },
    passes: { forward: total, backward: 0, head: 0 },
    ofClass: async (classIndex) => {
      const sum = new Float64Array(size);
      const mask = new Float32Array(size);
      const asked = column(scores, classes, await questionOf(classIndex, logits, choice));
      // Drawn again rather than kept: 1000 masks of 224 x 224 are 200 MB.
      const again = riseMasks(height, width, seed);
      for (let i = 0; i < total; i++) {
        again(mask);
        const p = asked[i] as number;
        for (let j = 0; j < size; j++) sum[j] = (sum[j] as number) + p * (mask[j] as number);
      }
      const data = Float32Array.from(sum, (value) => value / (RISE_OPEN * total));
      return [ofImage(data, height, width)];
    },
  };
}

/**
 * Draws the paper's masks (section 3.2): a grid of 7 x 7 cells, open or shut at random, upsampled bilinearly
 * to one cell more than the image each way, and cropped at a random place.
 */
export function riseMasks(
  height: number,
  width: number,
  seed: number,
): (mask: Float32Array) => void {
  const next = uniform(seed);
  const cell = { y: Math.ceil(height / RISE_CELLS), x: Math.ceil(width / RISE_CELLS) };
  // One row and column more, which the shift brings into the picture.
  const side = RISE_CELLS + 1;
  const grid = new Float32Array(side * side);
  return (mask) => {
    for (let i = 0; i < grid.length; i++) grid[i] = next() < RISE_OPEN ? 1 : 0;
    const shiftY = Math.floor(next() * cell.y);
    const shiftX = Math.floor(next() * cell.x);
    const across = Array.from({ length: width }, (_, x) => place(x + shiftX, cell.x, side));
    for (let y = 0; y < height; y++) {
      const { low, high, share } = place(y + shiftY, cell.y, side);
      for (let x = 0; x < width; x++) {
        const column = across[x] as Place;
        const upper = blend(grid, low * side, column);
        const lower = blend(grid, high * side, column);
        mask[y * width + x] = upper + share * (lower - upper);
      }
    }
  };
}
