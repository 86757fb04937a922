import type { Contrast, Question } from './question';

/** The options of Finer-CAM's target, which every method takes that has a class to explain. None changes a thing unless given. */
export const FINER = { contrast: undefined, rivals: undefined, rivalWeights: undefined };

/**
 * The class alone, or Finer-CAM's target.
 * @param logits [classes] of the unmasked image
 */
export async function questionOf(
  classIndex: number,
  logits: Float32Array,
  options: Contrast,
): Promise<Question> {
  return options.contrast
    ? (await import('./runs/rivals')).lessRivals(classIndex, logits, options)
    : [[classIndex, 1]];
}
