import { ScoreCamError } from '../errors';
import { toBitmap } from './bitmap';
import { isPixels, onWhite, type Pixels } from './pixels';
import { shown } from './refusals';
import { isObject } from './rules';

/**
 * Whatever is not bytes of RGBA in sRGB as such, laid on white. Loaded when there is something to decode, or to refuse.
 * @throws ScoreCamError `image` when it is no image, cannot be fetched or decoded, or its pixels cannot be had; the
 * signal's reason on abort
 */
export async function decode(source: unknown, signal?: AbortSignal): Promise<Pixels> {
  const isAddress = typeof source === 'string' || source instanceof URL;
  const loaded = isAddress ? await fetchImage(source, signal) : source;
  const kind = kindOf(loaded);
  if (kind === 'ImageData') return onWhite(ofImageData(loaded as ImageData));
  if (!DECODED.test(kind) && !(kind in SIZES)) refuse(loaded);
  if (!has2d()) {
    const { withoutCanvas } = await import('./without-canvas');
    return onWhite(await withoutCanvas(loaded as ImageBitmapSource));
  }
  const isFile = DECODED.test(kind);
  const bitmap = isFile ? await toBitmap(loaded as Blob) : undefined;
  try {
    if (kind === 'HTMLImageElement') await whole(loaded as HTMLImageElement, signal);
    const drawable = bitmap ?? (loaded as Drawable);
    return drawn(drawable, SIZES[kindOf(drawable) as keyof typeof SIZES](drawable as never));
  } finally {
    bitmap?.close();
  }
}

type Drawable = CanvasImageSource & (HTMLImageElement | ImageBitmap | VideoFrame);
interface Size {
  readonly width: number;
  readonly height: number;
}

/** By name: it may come from another window. Deno's bitmaps have none but their constructor's. */
export function kindOf(value: unknown): string {
  const name = Object.prototype.toString.call(value).slice(8, -1);
  return name === 'Object' ? ((value as object).constructor?.name ?? name) : name;
}

const DECODED = /^(Blob|File)$/;

const ownSize = (drawable: Size): Size => drawable;

/** What can be drawn on a canvas, and how large it is. */
const SIZES = {
  ImageBitmap: ownSize,
  HTMLCanvasElement: ownSize,
  OffscreenCanvas: ownSize,
  HTMLImageElement: (image: HTMLImageElement): Size => ({
    width: image.naturalWidth,
    height: image.naturalHeight,
  }),
  VideoFrame: (frame: VideoFrame): Size => ({
    width: frame.displayWidth,
    height: frame.displayHeight,
  }),
  HTMLVideoElement(video: HTMLVideoElement): Size {
    if (video.readyState >= 2) return { width: video.videoWidth, height: video.videoHeight };
    throw new ScoreCamError(
      'image',
      `The video ${video.currentSrc || 'without a source'} has no frame to show yet (readyState ${video.readyState}): ` +
        "wait for its event 'loadeddata'.",
    );
  },
} as const;

/** @throws ScoreCamError `image` always: what it is, and what would do */
export function refuse(source: unknown): never {
  const { data, width, height } = (source ?? {}) as Partial<Pixels>;
  const kind = data?.[Symbol.toStringTag] ?? typeof data;
  throw new ScoreCamError(
    'image',
    !isObject(source) || !('data' in source || 'width' in source)
      ? `The image is ${shown(source)}: give an <img>, <video> or canvas, an ImageBitmap, ImageData or VideoFrame, a Blob, ` +
          'an address, or { data, width, height }.'
      : `An image as { data, width, height } has 4 x width x height bytes of RGBA in a Uint8ClampedArray or Uint8Array: ` +
          `here data is ${kind} of length ${data?.length}, width ${width}, height ${height}.`,
  );
}

/** Of another colour space, or of floats: 0 and 1 are black and white, and what lies beyond is cut off. */
function ofImageData(image: ImageData): Pixels {
  const { width, height, colorSpace, data } = image;
  if (data.length === 0) {
    throw new ScoreCamError(
      'image',
      `The ImageData of ${width}x${height} pixels has lost its bytes: its buffer was transferred. Give a copy.`,
    );
  }
  const hasBytes = isPixels({ width, height, data });
  if (colorSpace === 'srgb') {
    const bytes = hasBytes ? data : Uint8ClampedArray.from(data, (value) => 255 * value);
    return { width, height, data: bytes };
  }
  const context = canvasOf(image);
  context.putImageData(image, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** Deno has OffscreenCanvas, but no 2D context. */
const has2d = (): boolean =>
  typeof OffscreenCanvas !== 'undefined' && !!new OffscreenCanvas(1, 1).getContext('2d');

/** Waits for an element's file. */
async function whole(image: HTMLImageElement, signal: AbortSignal | undefined): Promise<void> {
  const loaded = image.decode().catch((cause: unknown) => {
    throw new ScoreCamError('image', `The image ${image.src} did not load.`, { cause });
  });
  let stop = (): void => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal?.reason);
    signal?.addEventListener('abort', stop);
    // An abort that came before is told to no listener.
    if (signal?.aborted) stop();
  });
  await Promise.race([loaded, stopped]).finally(() => signal?.removeEventListener('abort', stop));
}

/** As a canvas shows it, which for what moves is the frame of this moment. */
function drawn(drawable: CanvasImageSource, { width, height }: Size): Pixels {
  if (width < 1 || height < 1) {
    throw new ScoreCamError(
      'image',
      `The image, ${shown(drawable)}, is ${width}x${height} pixels; it needs at least 1x1. One that was closed or ` +
        'transferred has none.',
    );
  }
  const context = canvasOf({ width, height });
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  try {
    context.drawImage(drawable, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  } catch (cause) {
    throw new ScoreCamError(
      'image',
      `The pixels of this ${width}x${height} image cannot be read: ${String(cause)}. An image from ` +
        'another site needs CORS headers (crossorigin="anonymous").',
      { cause },
    );
  }
}

function canvasOf({ width, height }: Size): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context) return context;
  throw new ScoreCamError(
    'image',
    `The image is ${width}x${height} pixels, too large for a canvas here: make it smaller.`,
  );
}

async function fetchImage(source: string | URL, signal?: AbortSignal): Promise<Blob> {
  try {
    const response = await fetch(source, signal ? { signal } : {});
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return await boundedBlob(response);
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new ScoreCamError('image', `The image ${source} could not be fetched: ${cause}`, {
      cause,
    });
  }
}

/** Bytes of an image that is fetched: a PNG of some 80 million pixels. */
const LARGEST_IMAGE = 256 * 1024 * 1024;

async function boundedBlob({ body, headers }: Response): Promise<Blob> {
  let size = 0;
  const bounded = body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(piece, controller) {
        size += piece.length;
        if (size > LARGEST_IMAGE) throw new Error(`it has more than ${LARGEST_IMAGE} bytes`);
        controller.enqueue(piece);
      },
    }),
  );
  const type = headers.get('content-type');
  return new Response(
    bounded ?? null,
    type === null ? {} : { headers: { 'content-type': type } },
  ).blob();
}
