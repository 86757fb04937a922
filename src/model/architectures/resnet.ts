import type { GraphManifestLayer } from '../graph/manifest';
import { type Architecture, head, normalised } from './build';

/** Blocks of each stage, and channels that a block's last convolution has for each of its first. */
const RESNETS = {
  resnet18: { blocks: [2, 2, 2, 2], expansion: 1 },
  resnet34: { blocks: [3, 4, 6, 3], expansion: 1 },
  resnet50: { blocks: [3, 4, 6, 3], expansion: 4 },
} as const;

/** He et al. 2016, table 1, as torchvision/models/resnet.py has them: a bottleneck's stride is in its 3x3 convolution. */
export function resnet(name: keyof typeof RESNETS): Architecture {
  const { blocks, expansion } = RESNETS[name];
  const layers: GraphManifestLayer[] = [
    normalised('conv1', 'bn1', 64, { kernel: 7, stride: 2, activation: 'relu' }),
    { type: 'maxpool', name: 'maxpool', kernel: 3, stride: 2, padding: 1 },
  ];
  let [before, channels] = ['maxpool', 64];
  blocks.forEach((count, stage) => {
    const width = 64 * 2 ** stage;
    for (let index = 0; index < count; index++) {
      const block = `layer${stage + 1}.${index}`;
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const kernels = expansion > 1 ? [1, 3, 1] : [3, 3];
      let inside = before;
      kernels.forEach((kernel, i) => {
        const conv = `${block}.conv${i + 1}`;
        const isLast = i === kernels.length - 1;
        layers.push(
          normalised(conv, `${block}.bn${i + 1}`, isLast ? width * expansion : width, {
            inputs: [inside],
            kernel,
            stride: i === (expansion > 1 ? 1 : 0) ? stride : 1,
            activation: isLast ? undefined : 'relu',
          }),
        );
        inside = conv;
      });
      let shortcut = before;
      if (stride > 1 || channels !== width * expansion) {
        shortcut = `${block}.downsample.0`;
        layers.push(
          normalised(shortcut, `${block}.downsample.1`, width * expansion, {
            inputs: [before],
            kernel: 1,
            stride,
          }),
        );
      }
      layers.push({ type: 'add', name: block, inputs: [inside, shortcut], activation: 'relu' });
      [before, channels] = [block, width * expansion];
    }
  });
  return { layers: [...layers, ...head('fc')], targetLayer: before };
}
