import { parseManifest } from '../../src/model/manifest';
import { buildNetwork } from '../../src/model/network';
import { seededWeights } from '../../src/model/seeded';
import { vggManifest } from '../../src/model/vgg';

/** The network of the files that test/fixtures/make.py writes: a VGG-11, 4 to 8 channels wide. */
export const narrowManifest = parseManifest(
  vggManifest({
    depth: 11,
    name: 'narrow vgg11',
    description: 'a narrow VGG-11 with generated weights',
    licence: 'MIT',
    labels: Array.from({ length: 10 }, (_, i) => `class ${i}`),
    weights: { format: 'seeded', seed: 5 },
    widths: [4, 4, 8, 8, 8],
    hidden: 12,
    inputSize: 64,
  }),
);

export const narrowNetwork = buildNetwork(narrowManifest);

/** The numbers that PyTorch's files of this network hold, computed here. */
export const narrowWeights = seededWeights(narrowNetwork, 5);
