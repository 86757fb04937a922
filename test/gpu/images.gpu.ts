import { decode } from '../../src/explain/decode';
import { prepareImage } from '../../src/explain/image';
import { onWhite, type Pixels } from '../../src/explain/pixels';
import type { ImageSource } from '../../src/index';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { expectError, expectSame } from '../harness/expect';
import { smallImage, smallModel } from '../harness/small-model';
import { withExplainer } from '../harness/with-explainer';
import { pngOf } from '../harness/write-png';

/*
 * Images in and overlays out in whatever JavaScript has: a document, canvases, none, or no image decoder at all.
 */

const has2d = typeof OffscreenCanvas !== 'undefined' && !!canvasOf(1, 1).getContext('2d');
const hasDecoder = typeof createImageBitmap !== 'undefined';

function canvasOf(width: number, height: number): OffscreenCanvas {
  return new OffscreenCanvas(width, height);
}

/** The image in every form that there is here. */
async function sourcesOf(image: ImageData): Promise<Record<string, ImageSource>> {
  const { width, height } = image;
  const bytes = new Uint8Array(image.data);
  const sources: Record<string, ImageSource> = {
    'ImageData or what stands for it': image,
    'a plain object': { data: image.data, width, height },
    'a Uint8Array': { data: bytes, width, height },
  };
  if (!hasDecoder) return sources;
  const blob = await pngOf(image);
  const address = URL.createObjectURL(blob);
  Object.assign(sources, {
    blob,
    'a file without a type': new File([blob], 'image'),
    string: address,
    url: new URL(address),
    bitmap: await createImageBitmap(blob),
  });
  if (has2d) {
    const offscreen = canvasOf(width, height);
    offscreen.getContext('2d')?.putImageData(image, 0, 0);
    sources.offscreen = offscreen;
  }
  if (typeof document !== 'undefined') {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    canvas.getContext('2d')?.putImageData(image, 0, 0);
    sources.canvas = canvas;
    sources.element = Object.assign(new Image(), { src: address });
  }
  return sources;
}

/** Runs `work` where these are not, as in other hosts of JavaScript. */
async function without<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
  const own = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  for (const name of names) Reflect.deleteProperty(globalThis, name);
  try {
    return await work();
  } finally {
    names.forEach((name, i) => {
      const descriptor = own[i];
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    });
  }
}

/** Of every alpha, and of every colour. */
function transparentImage(): Pixels {
  const values = testValues(4 * 17 * 14, 5);
  return { width: 17, height: 14, data: Uint8ClampedArray.from(values, (v) => 128 + 127 * v) };
}

export const cases: GpuCase[] = [
  {
    name: 'every kind of image source is seen alike',
    async run(gpu) {
      return withExplainer(gpu, smallModel(), async (explainer) => {
        const image = smallImage();
        const expected = await explainer.classify(image);
        const sources = await sourcesOf(image);
        for (const [kind, source] of Object.entries(sources)) {
          expectSame(kind, await explainer.classify(source), expected);
        }
        // Nothing given is used up: a bitmap can be read again.
        for (const [kind, source] of Object.entries(sources)) {
          expectSame(`${kind}, again`, await explainer.classify(source), expected);
        }
        return Object.keys(sources).join(', ');
      });
    },
  },
  {
    name: 'transparent pixels lie on white, however they come',
    async run() {
      const image = transparentImage();
      const expected = onWhite(image).data;
      const same = async (how: string, source: ImageSource): Promise<string> => {
        const { data } = await prepareImage(source, smallModel().manifest.input);
        // A canvas may keep colours multiplied by alpha: a step up or down.
        return assertClose(how, data, expected, 1);
      };
      const notes = [await same('pixels', image)];
      if (hasDecoder) notes.push(await same('a file', await pngOf(image)));
      return notes.join('; ');
    },
  },
  {
    name: 'without a 2D canvas a file is read otherwise, or it is said what is missing',
    async run() {
      const blob = await pngOf(smallImage());
      return without(['OffscreenCanvas', 'ImageData', 'HTMLImageElement', 'File'], async () => {
        if (typeof VideoFrame === 'undefined' || !hasDecoder) {
          await expectError(() => decode(blob), 'image', 'OffscreenCanvas');
          await expectError(() => decode(blob), 'image', 'give pixels as { data, width, height }');
          return 'refused';
        }
        expectSame('pixels', [...(await decode(blob)).data], [...smallImage().data]);
        const transparent = transparentImage();
        const { data } = await decode(await pngOf(transparent));
        const note = assertClose('transparent', data, onWhite(transparent).data, 1);
        await without(['VideoFrame'], () =>
          expectError(
            () => decode(blob),
            'image',
            'has no OffscreenCanvas, no VideoFrame to decode',
          ),
        );
        return note;
      });
    },
  },
  {
    name: 'a file that is no image is refused by name and size, with a canvas or without',
    async run() {
      if (!hasDecoder) return 'nothing here decodes files';
      const file = new File(['not an image'], 'notes.txt');
      const refused = () =>
        expectError(() => decode(file), 'image', 'notes.txt (12 bytes) is no image');
      await refused();
      if (typeof VideoFrame !== 'undefined') await without(['OffscreenCanvas'], refused);
      return undefined;
    },
  },
  {
    name: 'overlay and draw: opacity 0 is the image, 1 the heat map alone',
    async run(gpu) {
      return withExplainer(gpu, smallModel(), async (explainer) => {
        const explanation = await explainer.explain(smallImage());
        const image = await explanation.overlay({ opacity: 0 });
        expectSame('size', [image.width, image.height], [17, 14]);
        expectSame('image', [...image.data], [...smallImage().data]);
        const { data } = await explanation.overlay({ opacity: 1, colourMap: 'grey' });
        assertClose(
          'heat map',
          [...data].filter((_, i) => i % 4 === 0),
          explanation.map.data.map((v) => 255 * v),
          1,
        );
        const half = await explanation.overlay();
        const plain = await without(['ImageData', 'OffscreenCanvas'], () => explanation.overlay());
        expectSame(
          'members of a plain object',
          Object.keys(plain).sort().join(),
          'colorSpace,data,height,width',
        );
        expectSame('without ImageData', [...plain.data], [...half.data]);
        expectSame(
          'its image',
          [...(await without(['ImageData'], async () => explanation.image)).data],
          [...image.data],
        );
        await expectError(() => explanation.overlay({ opacity: 2 }), 'option', 'opacity is 2');
        if (typeof OffscreenCanvas === 'undefined') return 'no canvas to draw on';
        const canvas = canvasOf(1, 1);
        if (!has2d) {
          await expectError(() => explanation.draw(canvas), 'option', 'no 2d context');
          return 'no 2D canvas to draw on';
        }
        await explanation.draw(canvas);
        const drawn = canvas.getContext('2d')?.getImageData(0, 0, 17, 14).data ?? [];
        expectSame('drawn', [...drawn], [...half.data]);
        await expectError(() => explanation.draw(canvas, { opacity: 2 }), 'option', 'opacity is 2');
        return undefined;
      });
    },
  },
];
