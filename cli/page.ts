/// Runs in a browser: offers cli/page-api.ts to whoever drives the page.
import type { Step } from '../src/explain/progress';
import { type PageApi, pageApi } from './page-api';

declare global {
  interface Window {
    /** Made by the Node side. */
    onStep(step: Step): void;
    scoreCam: PageApi;
  }
}

window.scoreCam = pageApi((step) => window.onStep(step));
