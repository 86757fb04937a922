import { placementOf } from '../../../src/explain/image';
import type { Explainer, Explanation } from '../../../src/index';
import type { ColourMapName } from '../../../src/kernels/maps/colour_maps';
import { h } from '../../dom';

type Input = Explainer['model']['input'];

/** What a network of photographs takes, until it is known. */
const USUAL: Pick<Input, 'width' | 'height' | 'resize'> = {
  width: 224,
  height: 224,
  resize: 'cover',
};

/** Pixels of the canvas for each of the network's: the image is shown sharper than the network sees it. */
const FINENESS = 3;

/** The image as the network sees it, and the heat map over it. */
export class Picture {
  readonly canvas: HTMLCanvasElement;
  private image: ImageBitmap | undefined;
  private input = USUAL;
  private heat: ImageBitmap | undefined;
  private shown: Explanation | undefined;
  /** Of the latest rendering of a map: an earlier one comes too late. */
  private turn = 0;
  private opacityNow: number;
  private colourMapNow: ColourMapName;

  constructor(opacity: number, colourMap: ColourMapName, attributes: { id?: string } = {}) {
    this.canvas = h('canvas', { ...attributes, role: 'img', width: 672, height: 672 });
    this.opacityNow = opacity;
    this.colourMapNow = colourMap;
  }

  /** Says what it shows to those who cannot see it. */
  caption(text: string): void {
    this.canvas.setAttribute('aria-label', text);
  }

  get opacity(): number {
    return this.opacityNow;
  }

  set opacity(value: number) {
    this.opacityNow = value;
    this.paint();
  }

  get colourMap(): ColourMapName {
    return this.colourMapNow;
  }

  /** Shows the map that is shown in other colours. */
  async recolour(colourMap: ColourMapName): Promise<void> {
    this.colourMapNow = colourMap;
    if (this.shown) await this.show(this.shown);
  }

  /** The image without a map. The bitmap is this picture's from now on. */
  showImage(image: ImageBitmap, input: Pick<Input, 'width' | 'height' | 'resize'> = USUAL): void {
    this.turn++;
    this.shown = undefined;
    this.setHeat(undefined);
    this.setImage(image, input);
    this.paint();
  }

  /** A map over the image, or over another that comes with it; false where something newer was shown meanwhile. */
  async show(explanation: Explanation, image?: ImageBitmap, input = this.input): Promise<boolean> {
    const turn = ++this.turn;
    this.shown = explanation;
    const overlay = await explanation.overlay({ opacity: 1, colourMap: this.colourMapNow });
    const heat = await createImageBitmap(overlay);
    if (turn !== this.turn) {
      heat.close();
      image?.close();
      return false;
    }
    this.setHeat(heat);
    if (image) this.setImage(image, input);
    this.paint();
    return true;
  }

  dispose(): void {
    this.turn++;
    this.shown = undefined;
    this.setHeat(undefined);
    this.image?.close();
    this.image = undefined;
  }

  private setImage(image: ImageBitmap, input: Pick<Input, 'width' | 'height' | 'resize'>): void {
    if (image !== this.image) this.image?.close();
    this.image = image;
    this.input = input;
    const [width, height] = [FINENESS * input.width, FINENESS * input.height];
    // Setting a size clears the canvas, even the same.
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }

  private setHeat(heat: ImageBitmap | undefined): void {
    this.heat?.close();
    this.heat = heat;
  }

  private paint(): void {
    const context = this.canvas.getContext('2d');
    if (!context || !this.image) return;
    const { width, height } = this.canvas;
    const { scaleX, scaleY, left, top } = placementOf(this.image, this.input);
    context.imageSmoothingQuality = 'high';
    context.globalAlpha = 1;
    // What is transparent is laid on white, as for the network.
    context.fillStyle = 'white';
    context.fillRect(0, 0, width, height);
    context.drawImage(
      this.image,
      FINENESS * left,
      FINENESS * top,
      FINENESS * scaleX * this.image.width,
      FINENESS * scaleY * this.image.height,
    );
    if (!this.heat) return;
    context.globalAlpha = this.opacityNow;
    context.drawImage(this.heat, 0, 0, width, height);
  }
}
