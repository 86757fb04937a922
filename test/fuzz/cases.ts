/// Runs cases in a process of its own, which may run out of memory or never come back: `cases.ts REQUEST`, see watch.ts.
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { detailsOf } from '../../cli/error-text';
import { FILES } from './files';
import { KERAS } from './keras';
import { ONNX } from './onnx';
import type { Found, Request } from './watch';
import { WORDS } from './words';

const TARGETS = [...FILES, ...KERAS, ...ONNX, ...WORDS];

/** Megabytes that the process may take in all: no case has a file of one. */
const MOST_MEMORY = 1000;

const { target: only, seed, cases, path, folder } = JSON.parse(process.argv[2] ?? '') as Request;
const chosen = TARGETS.filter(({ name }) => only === undefined || name === only);
if (chosen.length === 0)
  throw new Error(`There is no target "${only}": ${TARGETS.map(({ name }) => name)}.`);
const total = chosen.reduce((sum, { weight }) => sum + weight, 0);
const progress = openSync(join(folder, 'progress'), 'w');
let done = 0;

for (const { name, weight, property } of chosen) {
  let number = 0;
  const answered = { true: 0, false: 0 };
  // Written before each case, at the same place: it is there however the process ends.
  const before = (): void => {
    const at = JSON.stringify({ target: name, seed, path: path ?? `${number++}`, done: done++ });
    writeSync(progress, at.padEnd(200), 0);
  };
  const after = (isAnswered: boolean): void => {
    answered[`${isAnswered}`]++;
    const megabytes = process.resourceUsage().maxRSS / 1024;
    if (megabytes <= MOST_MEMORY) return;
    // Not to be shrunk: it stays the most that the process has ever had.
    console.error(`took ${megabytes.toFixed()} MB`);
    process.exit(1);
  };
  const numRuns = path === undefined ? Math.ceil((cases * weight) / total) : 1;
  const details = await fc.check(property(before, after), {
    seed,
    numRuns,
    ...(path === undefined ? {} : { path }),
  });
  // Cases that are all refused, or none, show nothing.
  if (!details.failed && numRuns > 100 && answered.true * answered.false === 0) {
    throw new Error(`${name}: ${answered.true} answers, ${answered.false} refusals`);
  }
  if (!details.failed) continue;
  const [input] = (details.counterexample ?? []) as readonly unknown[];
  if (input instanceof Uint8Array) writeFileSync(join(folder, 'input.bin'), input);
  const found: Found = {
    target: name,
    seed,
    path: details.counterexamplePath ?? '',
    input: fc.stringify(input).slice(0, 2000),
    error: detailsOf(details.errorInstance).slice(0, 2000),
  };
  writeFileSync(join(folder, 'found.json'), JSON.stringify(found));
  process.exitCode = 1;
  break;
}
closeSync(progress);
