/** Where CAM is defined: nothing but the network's layers, so that Node can ask before a browser starts. */
import { ScoreCamError } from '../../errors';
import {
  type ConvLayer,
  type Layer,
  type LinearLayer,
  type Network,
  targetIndex,
  targetLayers,
} from '../../model/network';
import { NO_ACTIVATION } from '../../numbers/activation';

/** What stands between a layer's maps and the logits besides the pooling: one linear layer, or nothing. */
export type Head =
  | { readonly kind: 'none' }
  | { readonly kind: 'conv'; readonly layer: ConvLayer }
  | { readonly kind: 'linear'; readonly layer: LinearLayer };

/**
 * The head behind a target layer if CAM is defined there: the logits are the spatial means of the layer's
 * maps, or a linear function of them. undefined elsewhere.
 */
function headBehind(network: Network, target: string): Head | undefined {
  const [first, second, ...more] = network.layers.slice(targetIndex(network, target) + 1);
  const follow = first?.inputs[0] === target && (!second || second.inputs[0] === first.name);
  if (more.length > 0 || !first || !follow) return undefined;
  if (first.type === 'globalavgpool') {
    if (!second) return { kind: 'none' };
    if (second.type === 'linear' && second.activation === NO_ACTIVATION)
      return { kind: 'linear', layer: second };
    return pointwise(second);
  }
  return second?.type === 'globalavgpool' ? pointwise(first) : undefined;
}

function pointwise(layer: Layer): Head | undefined {
  const isLinear =
    layer.type === 'conv' && layer.kernel === 1 && layer.activation === NO_ACTIVATION;
  return isLinear ? { kind: 'conv', layer } : undefined;
}

/**
 * @throws ScoreCamError `option` where CAM is not defined, saying why and what would fit.
 */
export function poolingHead(network: Network, target: string): Head {
  const head = headBehind(network, target);
  if (head) return head;
  const behind = network.layers
    .slice(targetIndex(network, target) + 1)
    .map(({ name, type }) => `${name} (${type})`);
  const fitting = targetLayers(network)
    .map(({ name }) => name)
    .filter((name) => headBehind(network, name));
  throw new ScoreCamError(
    'option',
    `CAM needs a pooling head: behind the target layer a global average pooling, and besides it at most ` +
      `one linear layer or 1x1 convolution, without activation. Behind "${target}" of "${network.name}" ` +
      `${behind.length > 0 ? `come ${behind.join(', ')}` : 'comes nothing'}. ` +
      (fitting.length > 0
        ? `Layers that fit: ${fitting.join(', ')}.`
        : 'No layer of this network fits: use grad-cam or score-cam.'),
  );
}
