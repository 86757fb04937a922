/// Runs in a browser: executes cases by suite and name, one after the other.
import { requestAdapter } from '../../src/gpu/gpu';
import { CaseRunner } from './case-runner';

const runner = new CaseRunner(requestAdapter);
const runCase = runner.run.bind(runner);

declare global {
  interface Window {
    runCase: typeof runCase;
  }
}
window.runCase = runCase;
