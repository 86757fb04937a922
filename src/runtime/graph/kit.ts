import { packWindowConv } from '../../kernels/graph/pack_window_conv';
import { graphSteps } from '../../plan/graph/steps';
import type { GraphKit } from '../graph-kit';
import { layersToKeep } from './layers-to-keep';
import { recordGraphStep, recordMasked } from './record';
import { windowShape } from './window-shape';

/** Everything that only graphs need. */
export const kit: GraphKit = {
  steps: graphSteps,
  record: recordGraphStep,
  masked: recordMasked,
  pack: ({ layer, layout, tiling }, weight, bias) =>
    packWindowConv(weight, bias, windowShape(layer), layout.dtype, tiling !== 'depthwise'),
  layersToKeep,
};
