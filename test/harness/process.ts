/// Runs in a process of Deno or Node: executes cases by suite and name, one after the other.
import { answerCalls } from '../../cli/hosts/answer-calls';
import { requestAdapter } from '../../src/gpu/gpu';
import { whatThereIs } from './abilities';
import { CaseRunner } from './case-runner';

const runner = new CaseRunner(requestAdapter);
const api = { runCase: runner.run.bind(runner), whatThereIs };

export type CaseProcess = typeof api;

answerCalls(api);
