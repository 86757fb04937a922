import type { WindowShape } from '../../kernels/graph/window_shape';
import type { WindowConvLayer, WindowPoolLayer } from '../../model/network';
import { NO_ACTIVATION } from '../../numbers/activation';

/** A kernel's view of a layer with windows. */
export function windowShape(
  layer: WindowConvLayer | WindowPoolLayer,
  activation = NO_ACTIVATION,
): WindowShape {
  const { input, output, window } = layer;
  const [top, left] = window.padding;
  return {
    inChannels: input.channels,
    outChannels: output.channels,
    height: input.height,
    width: input.width,
    outHeight: output.height,
    outWidth: output.width,
    kernel: window.kernel,
    stride: window.stride,
    before: [top, left],
    groups: layer.type === 'windowconv' ? layer.groups : input.channels,
    activation,
  };
}
