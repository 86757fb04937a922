/// Runs in a browser: executes cases by suite and name, one after the other.
import { requestAdapter } from '../../src/gpu/gpu';
import { whatThereIs } from './abilities';
import { CaseRunner } from './case-runner';

const runner = new CaseRunner(requestAdapter);
const api = { runCase: runner.run.bind(runner), whatThereIs };

declare global {
  interface Window {
    runCase: typeof api.runCase;
    whatThereIs: typeof whatThereIs;
  }
}
Object.assign(window, api);
