import process from 'node:process';
import { createInterface } from 'node:readline';
import { type Call, lineOf, type Message } from './message';
import type { Calls } from './script-process';

/**
 * The other side of `ScriptProcess`, in Node and Deno: offers functions to whoever started this process, until stdin
 * ends. From now on stdout belongs to the answers, and what is logged goes to stderr.
 * @returns reports something while a call runs
 */
export function answerCalls<Api extends Calls>(
  functions: Api,
): (event: string, value: unknown) => void {
  console.log = console.info = console.debug = console.error;
  const send = (message: Message): void => {
    process.stdout.write(lineOf(message));
  };
  const answer = async ({ id, name, args }: Call): Promise<void> => {
    try {
      const called = functions[name] as ((...args: unknown[]) => unknown) | undefined;
      if (!called) throw new Error(`no function "${name}"`);
      send({ id, value: await called(...args) });
    } catch (error) {
      send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  const lines = createInterface(process.stdin);
  lines.on('line', (line) => void answer(JSON.parse(line)));
  // Also when whoever started it was killed: it is not left behind.
  lines.on('close', () => process.exit());
  return (event, value) => send({ event, value });
}
