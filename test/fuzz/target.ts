import fc from 'fast-check';
import { CliError } from '../../cli/errors';
import { LONGEST_MESSAGE, ScoreCamError } from '../../src/errors';

/** Something that is given anything: it answers right or refuses in a sentence. */
export interface Target {
  readonly name: string;
  /** Share of all cases. */
  readonly weight: number;
  /** @param before hears that a case begins @param after that it has ended, and whether there was an answer */
  property(before: () => void, after: (isAnswered: boolean) => void): fc.IAsyncProperty<unknown>;
}

/**
 * @param answer Throws a refusal, or anything else where the answer is wrong.
 * @param names What each refusal must name.
 */
export function target<Input>(
  name: string,
  weight: number,
  inputs: fc.Arbitrary<Input>,
  names: RegExp,
  answer: (input: Input) => unknown,
): Target {
  return {
    name,
    weight,
    property: (before, after) =>
      fc.asyncProperty(inputs, async (input) => {
        before();
        after(await answersOrRefuses(() => answer(input), names));
      }),
  };
}

/** @throws whatever `run` throws but a refusal in a sentence that names something */
export async function answersOrRefuses(run: () => unknown, names: RegExp): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (!(error instanceof ScoreCamError || error instanceof CliError)) throw error;
    const { message } = error;
    if (message.length > LONGEST_MESSAGE)
      throw new Error(`${message.length} characters`, { cause: error });
    if (!names.test(message)) throw new Error(`names nothing: ${message}`, { cause: error });
    return false;
  }
}
