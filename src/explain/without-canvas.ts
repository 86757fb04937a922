import { ScoreCamError } from '../errors';
import { toBitmap } from './bitmap';
import type { Pixels } from './pixels';

/*
 * Pixels of a file or bitmap where no canvas has a 2D context, by way of an ImageBitmap: from a VideoFrame, or in Deno
 * from the canvas that shows bitmaps. Not by ImageDecoder: what it gives of a JPEG is up to 42 of 255 away from what
 * canvases give (Chrome 156, colours at half the resolution), and it premultiplies alpha (Firefox 153).
 */

/** @throws ScoreCamError `image` naming what is missing, or what the image has that cannot be read here */
export async function withoutCanvas(source: ImageBitmapSource): Promise<Pixels> {
  const hasFrames = typeof VideoFrame !== 'undefined';
  const hasCanvas = typeof OffscreenCanvas !== 'undefined';
  if (typeof createImageBitmap === 'undefined' || !(hasFrames || hasCanvas)) {
    fail(`This JavaScript has no ${missing().join(', no ')} to decode images by`);
  }
  // Deno 2.9 "unpremultiplies" what never was.
  const bitmap = await toBitmap(source, hasFrames ? 'none' : 'default');
  try {
    return await (hasFrames ? fromFrame(bitmap) : fromFile(bitmap));
  } finally {
    bitmap.close();
  }
}

const fail = (reason: string): never => {
  throw new ScoreCamError('image', `${reason}: give pixels as { data, width, height }, in RGBA.`);
};

const missing = (): string[] =>
  ['createImageBitmap', 'OffscreenCanvas', 'VideoFrame'].filter((name) => !(name in globalThis));

async function fromFrame(bitmap: ImageBitmap): Promise<Pixels> {
  const frame: VideoFrame & { rotation?: number; flip?: boolean } = new VideoFrame(bitmap, {
    timestamp: 0,
  });
  try {
    if (frame.rotation || frame.flip) {
      fail(
        'The file says that its image is to be turned, which cannot be done here without a canvas',
      );
    }
    const layout = { format: 'RGBA', colorSpace: 'srgb' } as const;
    const data = new Uint8ClampedArray(frame.allocationSize(layout));
    await frame.copyTo(data, layout);
    return { data, width: bitmap.width, height: bitmap.height };
  } finally {
    frame.close();
  }
}

/** From the uncompressed file that Deno makes of it: rows of BGR or BGRA, the lowest first, in whole words. */
async function fromFile(bitmap: ImageBitmap): Promise<Pixels> {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('bitmaprenderer')?.transferFromImageBitmap(bitmap);
  // It refuses 16 bits a channel.
  const file = await canvas.convertToBlob({ type: 'image/bmp' }).catch(() => new Blob());
  const view = new DataView(await file.arrayBuffer());
  const bytes = file.type === 'image/bmp' ? view.getUint16(28, true) / 8 : 0;
  if (bytes < 3) {
    fail(
      'This JavaScript has no 2D canvas and no VideoFrame to read an image by that is not RGB or RGBA of 8 bits',
    );
  }
  const stride = Math.ceil((width * bytes) / 4) * 4;
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let y = 0; y < height; y++) {
    const row = view.getUint32(10, true) + (height - 1 - y) * stride;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < bytes; c++) {
        data[4 * (y * width + x) + ([2, 1, 0, 3][c] as number)] = view.getUint8(
          row + x * bytes + c,
        );
      }
    }
  }
  return { data, width, height };
}
