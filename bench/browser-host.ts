import { prepareImage } from '../src/explain/image';
import { loadModel, locateModel } from '../src/model/model';
import type { Host } from './measure/measure';

// Relative to bench/page.html and bench/index.html: the server's addresses begin with what only its reader knows.
const scenes = (file: string): URL => new URL(`../weights/scenes-vgg16/${file}`, location.href);

/** The embedded model and its sample, from the server that the page came from. */
export const browserHost: Pick<Host, 'model' | 'pixels'> = {
  model: () => loadModel(scenes('manifest.json')),
  pixels: async () => {
    const { manifest } = await locateModel(scenes('manifest.json'));
    return prepareImage(scenes('sample.png'), manifest.input);
  },
};
