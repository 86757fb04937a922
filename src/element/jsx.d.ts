/*
 * <score-cam> in JSX, for a project of React (19) or of whatever reads the global JSX namespace, as Preact and Solid do:
 *
 *   import type {} from 'score-cam-webgpu/element/jsx';
 */

import type { ColourMapName, ScoreCamElement } from './index';

/** Attributes as JSX has them. Listeners of its own events are added to the element, by a ref. */
export interface ScoreCamAttributes {
  src?: string | undefined;
  alt?: string | undefined;
  model?: string | undefined;
  dtype?: 'f32' | 'f16' | 'int8' | undefined;
  method?: string | undefined;
  layer?: string | undefined;
  'target-class'?: string | number | undefined;
  opacity?: number | undefined;
  'colour-map'?: ColourMapName | undefined;
  loading?: 'lazy' | 'eager' | undefined;
  reveal?: 'auto' | 'interaction' | 'manual' | undefined;
  controls?: boolean | undefined;
}

/** And what every element has, as far as frameworks agree on it. */
export interface ScoreCamProps extends ScoreCamAttributes {
  id?: string | undefined;
  class?: string | undefined;
  className?: string | undefined;
  lang?: string | undefined;
  slot?: string | undefined;
  title?: string | undefined;
  hidden?: boolean | undefined;
  style?: object | string | undefined;
  key?: string | number | bigint | null | undefined;
  children?: unknown;
  ref?:
    | ((element: ScoreCamElement | null) => void)
    | { current: ScoreCamElement | null }
    | undefined
    | null;
}

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'score-cam': ScoreCamProps;
    }
  }
}

declare global {
  namespace JSX {
    interface IntrinsicElements {
      'score-cam': ScoreCamProps;
    }
  }
}
