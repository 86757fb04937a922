import { seededModel } from '../../bench/peers/models';
import { normalise } from '../../src/explain/image';
import type { Gpu } from '../../src/gpu/gpu';
import { loadModel, type Model, openModel } from '../../src/index';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { running } from '../harness/graph-checks';
import { kerasFiles } from '../harness/keras-of';
import { sharedImage, sharedJson } from '../harness/shared';
import { smallImage } from '../harness/small-model';

/*
 * Full-size networks with generated weights, written as TensorFlow.js layers models and read back: the logits of the
 * networks themselves, and PyTorch's where the reference data is.
 */

/** From PyTorch's, as for VGG-16; of the largest. */
const TOLERANCE = 1e-4;

interface Seeded {
  readonly network: string;
  /** PyTorch's logits and the image that they are of. */
  readonly golden?: string;
  /** From the network's own logits, of the largest. Default 0: bit for bit. */
  readonly rounding?: number;
  readonly slow?: string;
}

/** Those that each run takes have additions, concatenations, depthwise convolutions and both ways of padding. */
const NETWORKS: readonly Seeded[] = [
  { network: 'squeezenet1_1', golden: 'squeezenet1_1-seed1' },
  { network: 'mobilenet_v2', golden: 'mobilenet_v2-seed1' },
  { network: 'mobilenet-v1-025', slow: 'a network like those of each run' },
  {
    network: 'resnet18',
    golden: 'resnet18-seed1',
    // A file's shortcut comes before what it goes round, and an addition goes into the sum of whichever comes last.
    rounding: 3e-6,
    slow: '11.7 million weights, twice',
  },
  { network: 'densenet121', golden: 'densenet121-seed1', slow: '121 layers, twice' },
];

async function logitsOf(gpu: Gpu, model: Model, image: Float32Array): Promise<Float32Array> {
  return running(gpu, model, {}, async (runner, arena) => {
    const { logits } = await runner.forward(arena.upload('image', Float32Array.from(image)), arena);
    return logits;
  });
}

export const cases: GpuCase[] = NETWORKS.map(({ network, golden, rounding = 0, slow }) => ({
  name: `${network} as a TensorFlow.js file: the same logits`,
  ...(slow ? { slow } : {}),
  async run(gpu, { sharedUrl }) {
    const own = await openModel(seededModel(`${network}-seeded-1`), undefined);
    const { mean, std, width, height } = own.manifest.input;
    const read = await loadModel(await kerasFiles(own), { mean, std });
    const folder = golden && sharedUrl ? `golden/${golden}/` : undefined;
    const pixels = folder
      ? await sharedImage(sharedUrl, `${folder}image.png`)
      : smallImage(width, height);
    const image = normalise(pixels, own.manifest);
    const expected = await logitsOf(gpu, own, image);
    const logits = await logitsOf(gpu, read, image);
    const [least, most] = [Math.min(...expected), Math.max(...expected)];
    if (!(most - least > 0.1)) throw new Error(`logits from ${least} to ${most} tell nothing`);
    const allowed = rounding * Math.max(-least, most);
    const notes = [assertClose('of the network itself', logits, expected, allowed)];
    if (folder) {
      const { logits: known } = await sharedJson<{ logits: number[] }>(
        sharedUrl,
        `${folder}golden.json`,
      );
      const largest = Math.max(...known.map(Math.abs));
      notes.push(assertClose("PyTorch's", logits, known, TOLERANCE * largest));
    }
    return notes.join('; ');
  },
}));
