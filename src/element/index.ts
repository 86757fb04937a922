/**
 * score-cam-webgpu/element: registers `<score-cam>`, a picture and where a network looked in it.
 *
 * @module
 */

import { ScoreCamElement } from './score-cam';

export type { ColourMapName } from './heat-map';
export type { ScoreCamEventMap, ScoreCamFailure } from './score-cam';
export type { Strings } from './strings/strings';
export { ScoreCamElement };

declare global {
  interface HTMLElementTagNameMap {
    'score-cam': ScoreCamElement;
  }
}

// Not where there is no DOM, and once where several copies of this file are in a page.
if (globalThis.customElements && !customElements.get('score-cam')) {
  customElements.define('score-cam', ScoreCamElement);
}
