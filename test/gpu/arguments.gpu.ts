import { prepareImage } from '../../src/explain/image';
import { METHOD_NAMES } from '../../src/explain/methods/registry';
import type { Pixels } from '../../src/explain/pixels';
import {
  createExplainer,
  type Explanation,
  type ImageSource,
  ScoreCamError,
} from '../../src/index';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { expectError, expectSame } from '../harness/expect';
import { smallImage, smallModel } from '../harness/small-model';
import { withExplainer } from '../harness/with-explainer';

/*
 * What a page may hand over that is wrong, or that is meant otherwise than it looks; and what it may do in the middle.
 */

const isPage = typeof document !== 'undefined';

/** Pixels of one colour at the small network's input size. */
function plain(colour: readonly [number, number, number], width = 17, height = 14): ImageData {
  const image = smallImage(width, height);
  for (let i = 0; i < image.data.length; i += 4) image.data.set([...colour, 255], i);
  return image;
}

function detached(): Pixels {
  const data = new Uint8ClampedArray(4 * 17 * 14);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return { data, width: 17, height: 14 };
}

/** What is no image, and part of what is said of it. */
async function notImages(): Promise<[unknown, string][]> {
  const images: [unknown, string][] = [
    [null, 'The image is null: give an <img>, <video> or canvas'],
    [undefined, 'The image is undefined'],
    [{}, 'The image is of the kind Object'],
    [5, 'The image is 5'],
    [[], 'The image is an array of 0'],
    [() => 1, 'The image is a function'],
    [Symbol('image'), 'The image is Symbol(image)'],
    [new Date(), 'The image is of the kind Date'],
    [new ArrayBuffer(4), 'The image is of the kind ArrayBuffer'],
    [Promise.resolve(smallImage()), 'The image is of the kind Promise'],
    [detached(), 'of length 0, width 17, height 14'],
    [{ data: new Float32Array(4), width: 1, height: 1 }, 'data is Float32Array of length 4'],
    [{ width: 3, height: 4 }, 'data is undefined'],
  ];
  if (!isPage) return images;
  const bitmap = await createImageBitmap(smallImage());
  bitmap.close();
  const canvas = new OffscreenCanvas(4, 4);
  canvas.getContext('2d');
  const frame = new VideoFrame(canvas, { timestamp: 0 });
  frame.close();
  const sent = smallImage();
  structuredClone(sent.data.buffer, { transfer: [sent.data.buffer] });
  const empty = Object.assign(document.createElement('canvas'), { width: 0 });
  images.push(
    [bitmap, 'is 0x0 pixels'],
    [frame, 'is 0x0 pixels'],
    [empty, 'is 0x150 pixels'],
    [sent, 'has lost its bytes: its buffer was transferred'],
    [document.createElement('video'), 'The video without a source has no frame to show yet'],
    [
      Object.assign(document.createElement('video'), { width: 17, height: 14 }),
      "wait for its event 'loadeddata'",
    ],
    [document.createElement('div'), 'The image is of the kind HTMLDivElement'],
    [new Image(), 'did not load'],
  );
  return images;
}

/** A picture of a step in brightness, as floats from 0 to 1. */
function floatImage(colorSpace: PredefinedColorSpace): ImageData | undefined {
  try {
    const settings = { colorSpace, pixelFormat: 'rgba-float16' } as ImageDataSettings;
    const image = new ImageData(17, 14, settings);
    // Where the browser knows no such format it makes one of bytes.
    if ((image.data as ArrayLike<number>) instanceof Uint8ClampedArray) return undefined;
    smallImage().data.forEach((value, i) => {
      image.data[i] = value / 255;
    });
    return image;
  } catch {
    return undefined;
  }
}

const input = smallModel().manifest.input;
const pixelsOf = async (source: ImageSource) => (await prepareImage(source, input)).data;

/** Waits until the picture has this colour, which video may round: within a few steps. */
async function untilColour(source: ImageSource, colour: readonly number[]): Promise<void> {
  let found: number[] = [];
  for (let i = 0; i < 200; i++) {
    found = [...(await pixelsOf(source))].slice(4 * 100, 4 * 100 + 3);
    if (found.every((value, c) => Math.abs(value - (colour[c] as number)) < 8)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${found} for ${colour}`);
}

/** Runs `work` with what is reported, and without unhandled rejections. */
async function reportedBy(work: () => Promise<void>): Promise<string[]> {
  const reported: string[] = [];
  const unhandled: unknown[] = [];
  const hear = (event: Event): void => void unhandled.push((event as PromiseRejectionEvent).reason);
  const own = globalThis.reportError;
  globalThis.reportError = (error: unknown) => void reported.push(String(error));
  globalThis.addEventListener?.('unhandledrejection', hear);
  try {
    await work();
    await new Promise((resolve) => setTimeout(resolve, 50));
  } finally {
    globalThis.reportError = own;
    globalThis.removeEventListener?.('unhandledrejection', hear);
  }
  expectSame('unhandled rejections', unhandled.map(String), []);
  return reported;
}

const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'finished',
    (error: Error) => error.message,
  );

export const cases: GpuCase[] = [
  {
    name: 'what is no image is refused, by what it is and what would do',
    run: (gpu) =>
      withExplainer(gpu, smallModel(), async (explainer) => {
        const images = await notImages();
        for (const [image, message] of images) {
          await expectError(() => explainer.classify(image as ImageSource), 'image', message);
          await expectError(() => explainer.explain(image as ImageSource), 'image', message);
        }
        return `${images.length} refused`;
      }),
  },
  {
    name: 'every argument of an explanation and of drawing is checked',
    run: (gpu) =>
      withExplainer(gpu, smallModel(), async (explainer) => {
        const image = smallImage();
        const explanation = await explainer.explain(image, { channels: [0, 1] });
        const before = explainer.memory.bytes;
        const bad = (work: () => Promise<unknown>, message: string) =>
          expectError(work, 'option', message);
        const any = (value: unknown): never => value as never;
        await bad(() => explainer.explain(image, any(null)), 'options is null');
        await bad(() => explainer.explain(image, any({ layer: 5 })), 'layer is 5');
        await bad(() => explainer.explain(image, any({ class: [] })), 'class is an array of 0');
        await bad(() => explainer.explain(image, any({ chanels: [0] })), 'did you mean "channels"');
        await bad(() => explainer.classify(image, any({ signal: 1 })), 'signal is 1');
        await bad(() => explainer.classify(image, any({ sginal: 1 })), 'did you mean "signal"');
        await bad(() => explanation.forClass(any([])), 'class is an array of 0');
        await bad(() => explanation.forClass(any(undefined)), 'class is undefined');
        await bad(() => explanation.forClass(Number.NaN), 'no class NaN');
        await bad(() => explanation.withWeighting(any('__proto__')), 'no weighting "__proto__"');
        await bad(() => explanation.withWeighting(any({})), 'weighting is of the kind Object');
        await bad(() => explanation.draw(any({})), 'The canvas is of the kind Object');
        await bad(() => explanation.draw(any(undefined)), 'The canvas is undefined');
        await bad(() => explanation.overlay(any(null)), 'options is null');
        await bad(
          () => explanation.overlay({ colourMap: any('__proto__') }),
          'no colourMap "__proto__". Choose from: turbo',
        );
        await bad(
          () => explanation.overlay({ opacity: Number.NaN }),
          'opacity is NaN, must be a n',
        );
        await bad(() => explanation.overlay(any({ opactiy: 1 })), 'did you mean "opacity"?');
        if (isPage) {
          const shown = document.createElement('canvas');
          shown.transferControlToOffscreen();
          await bad(() => explanation.draw(shown), 'was transferred');
          const other = new OffscreenCanvas(5, 5);
          other.getContext('bitmaprenderer');
          await bad(() => explanation.draw(other), 'no 2d context');
          expectSame('its size', other.width, 5);
        }
        expectSame('bytes', explainer.memory.bytes, before);
        return undefined;
      }),
  },
  {
    name: 'what is measured is checked: map, class, boxes, steps',
    run: (gpu) =>
      withExplainer(gpu, smallModel(), async (explainer) => {
        const explanation = await explainer.explain(smallImage(), { channels: [0, 1] });
        const { map, class: own, image } = explanation;
        const subject = { map, class: own, image };
        const bad = (other: object | null, options: object, message: string) =>
          expectError(
            () => explainer.measure((other && { ...subject, ...other }) as never, options),
            'option',
            message,
          );
        const data = map.data.slice();
        data[7] = Number.NaN;
        await bad(null, {}, 'What is to be measured is null');
        await bad({ map: undefined }, {}, 'map is undefined');
        await bad({ map: { ...map, data } }, {}, 'The map is NaN at pixel 7');
        await bad({ map: { ...map, data: map.data.map((v) => 255 * v) } }, {}, 'min-max normalise');
        await bad({ map: { ...map, data: map.data.subarray(1) } }, {}, 'a Float32Array of 238');
        await bad({ map: { ...map, data: [...map.data] } }, {}, 'is an array of 238');
        await bad({ map: { width: 17, height: 14 } }, {}, 'map is undefined');
        await bad({ class: undefined }, {}, 'class is undefined');
        await bad({ class: { index: Number.NaN } }, {}, 'no class NaN');
        await bad(
          { class: { index: 0, probability: Number.NaN } },
          {},
          'probability of the class is N',
        );
        await bad({ image: undefined }, {}, 'The image is undefinedxundefined');
        await bad({}, { metrics: 5 }, 'metrics is 5');
        await bad({}, { metrics: [5] }, 'metric is 5');
        await bad({}, { metric: ['adcc'] }, 'did you mean "metrics"?');
        await bad({}, { steps: 1e9 }, 'steps is 1000000000, must be a whole number from 1 to 238');
        const box = { x: 1, y: 1, width: 3, height: 3 };
        for (const wrong of [
          5,
          {},
          { ...box, x: Number.NaN },
          { ...box, width: 0 },
          { ...box, height: -3 },
          { ...box, x: 17 },
          { ...box, y: -3 },
          { ...box, width: Number.POSITIVE_INFINITY },
        ]) {
          await bad({}, { box: wrong }, 'box is of the kind Object, must be'.slice(0, 7));
          await bad({}, { otherBoxes: [box, wrong] }, 'otherBoxes is an array of 2');
        }
        // One that was cropped is as good as ever.
        const { hit } = await explainer.measure(explanation, { box: { ...box, x: -1 } });
        expectSame('hit', typeof hit, 'boolean');
        return undefined;
      }),
  },
  {
    name: 'floats and other colour spaces are seen as they are meant',
    async run() {
      if (!isPage) return 'no ImageData';
      const bytes = smallImage();
      const notes: string[] = [];
      const floats = floatImage('srgb');
      if (floats) notes.push(assertClose('rgba-float16', await pixelsOf(floats), bytes.data, 1));
      // Of the same colour in another space: what a canvas in sRGB shows of it.
      let wide: ImageData;
      try {
        wide = new ImageData(17, 14, { colorSpace: 'display-p3' });
      } catch {
        return 'there is no other kind of ImageData here';
      }
      for (let i = 0; i < wide.data.length; i += 4) wide.data.set([180, 100, 60, 255], i);
      const context = new OffscreenCanvas(17, 14).getContext('2d', { colorSpace: 'srgb' });
      context?.putImageData(wide, 0, 0);
      const shown = context?.getImageData(0, 0, 17, 14).data ?? [];
      notes.push(assertClose('display-p3', await pixelsOf(wide), shown, 1));
      if (Math.abs((shown[0] ?? 0) - 180) < 5) throw new Error(`red is ${shown[0]} in sRGB, too`);
      const both = floatImage('display-p3');
      if (both) {
        context?.putImageData(both, 0, 0);
        const expected = context?.getImageData(0, 0, 17, 14).data ?? [];
        notes.push(assertClose('both', await pixelsOf(both), expected, 1));
      }
      return `${floats ? '' : 'no rgba-float16 here; '}${notes.join('; ')}`;
    },
  },
  {
    name: 'a VideoFrame and a playing video are seen at their current frame, and left open',
    async run() {
      if (!isPage) return 'no video';
      const canvas = Object.assign(document.createElement('canvas'), { width: 17, height: 14 });
      const context = canvas.getContext('2d') as CanvasRenderingContext2D;
      const image = smallImage();
      context.putImageData(image, 0, 0);
      const frame = new VideoFrame(canvas, { timestamp: 0 });
      const notes = [assertClose('frame', await pixelsOf(frame), image.data, 2)];
      expectSame('still open', frame.displayWidth, 17);
      frame.close();

      const stream = canvas.captureStream(60);
      const video = Object.assign(document.createElement('video'), {
        muted: true,
        srcObject: stream,
        // What the page lays out is not what it shows.
        width: 300,
      });
      const painting = setInterval(() => context.fillRect(0, 0, 17, 14), 20);
      try {
        context.fillStyle = 'rgb(200, 40, 40)';
        await video.play();
        await untilColour(video, [200, 40, 40]);
        context.fillStyle = 'rgb(40, 40, 200)';
        await untilColour(video, [40, 40, 200]);
      } finally {
        clearInterval(painting);
        for (const track of stream.getTracks()) track.stop();
      }
      return notes.join('; ');
    },
  },
  {
    name: 'a layer that shows nothing gives a flat map by every method, none fails',
    run: (gpu) => {
      const change = (tensor: string, values: Float32Array): void => {
        if (tensor === 'conv3.bias') values.fill(-1000);
      };
      return withExplainer(gpu, smallModel({ change }), async (explainer) => {
        for (const image of [plain([255, 255, 255]), plain([128, 128, 128]), smallImage()]) {
          for (const method of METHOD_NAMES) {
            if (method === 'cam') continue;
            const cheaper = method === 'rise' ? { masks: 4 } : {};
            const { map } = await explainer.explain(image, { method, ...cheaper });
            if (!map.data.every(Number.isFinite)) throw new Error(`${method}: not finite`);
            if (method === 'rise' || method === 'recipro-cam') continue;
            expectSame(`${method} is flat`, map.flat, true);
          }
        }
        return undefined;
      });
    },
  },
  {
    name: 'an abort is heeded at every stage, and after the last',
    ownDevice: true,
    async run(gpu) {
      const model = smallModel();
      const { queue } = gpu.device;
      const explainer = await createExplainer({ model, device: gpu.device });
      const image = smallImage();
      await explainer.explain(image);
      const before = explainer.memory.bytes;
      /** Aborts at the n-th submit of a call; how it ends. */
      const abortedAt = async (
        n: number,
        work: (signal: AbortSignal) => Promise<unknown>,
      ): Promise<string> => {
        const controller = new AbortController();
        let count = 0;
        queue.submit = (buffers) => {
          const all = [...buffers];
          // Empty ones are nudges to a queue that is slow to answer (waiting.ts): as many as time passes.
          if (all.length > 0 && ++count === n) controller.abort(new Error('enough'));
          return GPUQueue.prototype.submit.call(queue, all);
        };
        try {
          const end = await reasonOf(work(controller.signal));
          return controller.signal.aborted ? end : 'never aborted';
        } finally {
          Reflect.deleteProperty(queue, 'submit');
        }
      };
      expectSame(
        'classify, in its only pass',
        await abortedAt(1, (signal) => explainer.classify(image, { signal })),
        'enough',
      );
      // Of the last submits, too, the map's among them.
      for (let n = 1; ; n++) {
        const end = await abortedAt(n, (signal) => explainer.explain(image, { signal }));
        if (end === 'never aborted') {
          if (n < 5) throw new Error(`only ${n - 1} submits`);
          break;
        }
        expectSame(`explain, submit ${n}`, end, 'enough');
        expectSame('bytes', explainer.memory.bytes, before);
      }
      for (const work of [
        (signal: AbortSignal) => explainer.classify(image, { signal }),
        (signal: AbortSignal) => explainer.explain(image, { signal }),
      ]) {
        const now = AbortSignal.abort(new Error('never mind'));
        expectSame('aborted before', await reasonOf(work(now)), 'never mind');
        const controller = new AbortController();
        const end = reasonOf(work(controller.signal));
        controller.abort(new Error('at once'));
        expectSame('aborted at once', await end, 'at once');
      }
      if (isPage) {
        // One whose file never comes.
        const waiting = Object.assign(new Image(), { decode: () => new Promise<void>(() => {}) });
        // Aborted while its decoder is being fetched, and while it is waited for.
        for (const wait of [(abort: () => void) => abort(), setTimeout]) {
          const controller = new AbortController();
          const end = reasonOf(explainer.classify(waiting, { signal: controller.signal }));
          wait(() => controller.abort(new Error('waited enough')), 20);
          expectSame('an image that does not come', await end, 'waited enough');
        }
      }
      const controller = new AbortController();
      const loading = createExplainer({
        model,
        device: gpu.device,
        signal: controller.signal,
        onProgress: ({ phase, done, total }) => {
          if (phase === 'weights' && done === total) controller.abort(new Error('too late'));
        },
      });
      expectSame('createExplainer, after the last byte', await reasonOf(loading), 'too late');
      explainer.dispose();
      return undefined;
    },
  },
  {
    name: 'listeners that throw or never end neither stop nor hang an explanation',
    run: (gpu) =>
      withExplainer(gpu, smallModel(), async (explainer) => {
        const image = smallImage();
        const plainly = await explainer.explain(image);
        let previews = 0;
        const listeners: Record<string, (preview: Explanation) => unknown> = {
          'never ends': () => new Promise(() => {}),
          throws: () => {
            throw new ScoreCamError('option', 'of the page');
          },
          rejects: async () => {
            throw new Error('of the page');
          },
        };
        for (const [name, onPreview] of Object.entries(listeners)) {
          previews = 0;
          const reported = await reportedBy(async () => {
            const { map } = await explainer.explain(image, {
              onPreview: (preview) => {
                previews++;
                return onPreview(preview);
              },
              onProgress: onPreview as () => void,
            });
            expectSame(name, [...map.data], [...plainly.map.data]);
          });
          if (previews < 2) throw new Error(`${previews} previews`);
          if (name === 'never ends') expectSame('reported', reported, []);
          else if (reported.length < previews)
            throw new Error(`${name}: ${reported.length} reported`);
        }
        return `${previews} previews`;
      }),
  },
];
