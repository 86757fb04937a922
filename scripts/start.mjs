// The one entry behind every npm script: sets up what is missing, then runs the command. It depends on
// nothing but Node, so that each command works as the first one in a fresh clone. This file keeps to
// syntax that any Node with ES modules can parse, so that an old Node gets a sentence, not a stack.
import { nodeProblem } from './node-version.mjs';

const problem = nodeProblem(process.versions.node);
if (problem) {
  console.error(problem);
  process.exitCode = 1;
} else {
  import('./main.mjs').then((module) => module.main(process.argv.slice(2)));
}
