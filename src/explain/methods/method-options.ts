import type { OptionValues } from './options';
import type { Method } from './registry';

/** Which method makes the map, of which layers, and with what. */
export interface MethodOptions extends OptionValues {
  /**
   * Target layer: the name of a convolution or max pooling. Default: the manifest's `targetLayer`. Several
   * are fused: each layer's map is made by the method and min-max normalised, and their mean is min-max
   * normalised again; a flat layer adds nothing.
   */
  readonly layer?: string | readonly string[] | undefined;
  /** Default `score-cam`. */
  readonly method?: Method | undefined;
}
