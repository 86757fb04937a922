import { ScoreCamError } from '../errors';
import { toBitmap } from './bitmap';
import { onWhite, type Pixels } from './pixels';
import type { ImageSource } from './types';

/**
 * Whatever is not pixels yet as pixels, laid on white. Loaded when there is something to decode.
 * @throws ScoreCamError `image` when it cannot be fetched or decoded, or its pixels cannot be had
 */
export async function decode(
  source: Exclude<ImageSource, Pixels>,
  signal?: AbortSignal,
): Promise<Pixels> {
  const loaded =
    typeof source === 'string' || source instanceof URL ? await fetchImage(source, signal) : source;
  if (!has2d()) {
    const { withoutCanvas } = await import('./without-canvas');
    return onWhite(await withoutCanvas(loaded));
  }
  const bitmap = loaded instanceof Blob ? await toBitmap(loaded) : undefined;
  try {
    return await drawn(bitmap ?? (loaded as Drawable));
  } finally {
    bitmap?.close();
  }
}

type Drawable = Exclude<ImageSource, Pixels | Blob | URL | string>;

/** Deno has OffscreenCanvas, but no 2D context. */
const has2d = (): boolean =>
  typeof OffscreenCanvas !== 'undefined' && !!new OffscreenCanvas(1, 1).getContext('2d');

async function drawn(drawable: Drawable): Promise<Pixels> {
  const isElement = typeof HTMLImageElement !== 'undefined' && drawable instanceof HTMLImageElement;
  if (isElement) {
    await drawable.decode().catch((cause: unknown) => {
      throw new ScoreCamError('image', `The image ${drawable.src} did not load.`, { cause });
    });
  }
  const width = isElement ? drawable.naturalWidth : drawable.width;
  const height = isElement ? drawable.naturalHeight : drawable.height;
  if (width < 1 || height < 1) {
    throw new ScoreCamError(
      'image',
      `The image is ${width}x${height} pixels; it needs at least 1x1.`,
    );
  }
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) {
    throw new ScoreCamError(
      'image',
      `The image is ${width}x${height} pixels, too large for a canvas here: make it smaller.`,
    );
  }
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  context.drawImage(drawable, 0, 0);
  try {
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
