/// Runs in a process of its own: one command for one list of arguments after the other, as run-script.ts asks.
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { Finished } from './run-script';

const [script, lists] = process.argv.slice(2) as [string, string];
const answer = process.stdout.write.bind(process.stdout);
// Of each run those that its signals would reach.
process.setMaxListeners(0);
const runs: Finished[] = [];
for (const [i, args] of (JSON.parse(lists) as string[][]).entries()) {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (text: string | Uint8Array): boolean => {
      said[name] += text;
      return true;
    };
  }
  process.argv = [process.execPath, script, ...args];
  process.exitCode = 0;
  // A module of its own each time; what it imports is there already.
  await import(`${pathToFileURL(script).href}?${i}`);
  runs.push({ code: Number(process.exitCode), ...said });
}
process.exitCode = 0;
answer(JSON.stringify(runs));
