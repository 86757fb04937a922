import { ScoreCamError } from '../../src/errors';

export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: got ${a}, expected ${b}`);
}

/** That `work` fails with a ScoreCamError of this code, whose message has this in it; gives the error. */
export async function expectError(
  work: () => Promise<unknown>,
  code: string,
  message: string,
): Promise<ScoreCamError> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ScoreCamError)) throw error;
    expectSame('error code', error.code, code);
    if (!error.message.includes(message)) {
      throw new Error(`message "${error.message}" lacks "${message}"`);
    }
    return error;
  }
  throw new Error(`nothing thrown; expected ${code}: ${message}`);
}
