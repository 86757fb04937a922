/// Runs in a process of its own: what test/script_process.test.ts calls.
import { writeSync } from 'node:fs';
import process from 'node:process';
import { answerCalls } from '../../cli/hosts/answer-calls';

const api = {
  add: (a: number, b: number) => a + b,
  async later(ms: number, value: string) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return value;
  },
  nothing: () => undefined,
  /** What a library prints, by the console or past it, is not taken for an answer. */
  log(text: string) {
    console.log(text);
    writeSync(1, text);
    report('logged', { text });
  },
  fail(text: string) {
    throw new Error(text);
  },
  end(code: number) {
    console.error('before the end');
    process.exit(code);
  },
};

export type Called = typeof api;

const report = answerCalls(api);
