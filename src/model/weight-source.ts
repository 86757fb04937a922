import { ScoreCamError } from '../errors';
import type { TensorDtype } from '../numbers/tensor_dtypes';

export interface TensorFacts {
  readonly shape: readonly number[];
  /** How the file holds it. */
  readonly dtype: TensorDtype;
}

/** Where a network's numbers come from: tensors by name, read in parts, always handed out as f32. */
export interface WeightSource {
  /** File name or URL: what errors call it. */
  readonly name: string;
  /** All tensors, in the order in which they are best read: that of the file. */
  readonly tensors: ReadonlyMap<string, TensorFacts>;
  /**
   * Elements start ... start + count of the flattened tensor, in a new array that is the reader's. Quantised tensors of a
   * TensorFlow.js model are dequantised; an I8 tensor is read as its integers.
   * @throws ScoreCamError `weights` naming file, tensor, offset and what was expected.
   */
  read(name: string, start: number, count: number): Promise<Float32Array<ArrayBuffer>>;
  /**
   * Reads what nobody asked for and checks the whole against its SHA-256, where one is known. Called
   * before anything that was read is used.
   * @throws ScoreCamError `weights` if it is another file.
   */
  verify?(): Promise<void>;
  /** Ends connections; nothing can be read afterwards. */
  close?(): Promise<void>;
}

/** @throws ScoreCamError `weights` if there is no tensor of that name. */
export function tensorOf<Facts extends TensorFacts>(
  source: { readonly name: string; readonly tensors: ReadonlyMap<string, Facts> },
  name: string,
): Facts {
  const found = source.tensors.get(name);
  if (found) return found;
  const names = [...source.tensors.keys()];
  throw new ScoreCamError(
    'weights',
    `${source.name}: there is no tensor "${name}"; it holds ${names.slice(0, 8).join(', ')}` +
      `${names.length > 8 ? `, ... (${names.length} in all)` : names.length === 0 ? 'none' : ''}.`,
  );
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
