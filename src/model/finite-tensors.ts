import { ScoreCamError } from '../errors';
import { tensorOf, type WeightSource } from './weight-source';

/**
 * Elements start ... start + count of a tensor.
 * @throws ScoreCamError `weights` naming the tensor, for an element that is not finite and for what cannot be read
 */
export async function readFinite(
  source: WeightSource,
  tensor: string,
  start: number,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  tensorOf(source, tensor);
  const values = await source.read(tensor, start, count).catch((error: unknown) => {
    // Whoever reads bytes knows file and offset, but not whose bytes they are.
    if (!(error instanceof ScoreCamError) || error.message.includes(`"${tensor}"`)) throw error;
    const which = `Tensor "${tensor}", ${count} elements from ${start} on`;
    throw new ScoreCamError(error.code, `${which}: ${error.message}`, { cause: error });
  });
  checkFinite(values, `${source.name}: tensor "${tensor}"`, start);
  return values;
}

/** @param start number of the first value, for the message */
export function checkFinite(values: Float32Array, what: string, start: number): void {
  for (let i = 0; i < values.length; i++) {
    // Faster than Number.isFinite over 138 million values: NaN and both infinities fail it.
    if ((values[i] as number) - (values[i] as number) === 0) continue;
    throw new ScoreCamError(
      'weights',
      `${what} has ${values[i]} at element ${start + i}; every weight must be finite.`,
    );
  }
}
