import { type ColourMapName, colourMaps } from '../../../src/kernels/maps/colour_maps';
import { h } from '../../dom';

/** The colours of a map from 0 to 1, for a legend. */
export class ColourScale {
  readonly canvas = h('canvas', { class: 'scale', width: 256, height: 1 });

  constructor(name: ColourMapName) {
    this.show(name);
  }

  show(name: ColourMapName): void {
    const bytes = new Uint8ClampedArray(new Uint32Array(colourMaps[name]).buffer);
    this.canvas.getContext('2d')?.putImageData(new ImageData(bytes, 256, 1), 0, 0);
  }
}
