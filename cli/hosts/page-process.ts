/// Runs in a process of Deno or Node: what cli/page.ts is in a browser.
import process from 'node:process';
import { pageApi } from '../page-api';
import { answerCalls } from './answer-calls';

const { deno, node } = process.versions;

const report = answerCalls({
  ...pageApi((step) => report('step', step)),
  version: () => (deno ? `Deno/${deno}` : `Node.js/${node} with Dawn`),
});
