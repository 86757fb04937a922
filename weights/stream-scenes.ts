/**
 * Writes scenes to standard output as fixed-size binary records, for the training script: the
 * scenes then have one definition, `scenes.ts`.
 *
 *   npx tsx weights/stream-scenes.ts --count 1000 --seed-start 0 --objects mixed
 *
 * Scene i has seed `seed-start + i`. Seeds below `TRAINING_SEEDS_END` (1,000,000) are for training;
 * everything measured uses seeds from there on, so no measured scene was ever trained on.
 *
 * `--objects mixed` draws, by seed, six scenes in ten with one object, three with two, one with
 * none. `--size` is the picture's side, 224 unless given.
 *
 * One record, little-endian, 24 bytes and then the pixels:
 *
 *   u32 seed, u8 number of objects, u8 zero,
 *   twice: u8 class (255: no object), u16 x, u16 y, u16 width, u16 height   (the tight box)
 *   size * size * 3 bytes of RGB, row by row
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { drawScene } from './scenes.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100' },
    'seed-start': { type: 'string', default: '0' },
    objects: { type: 'string', default: 'mixed' },
    size: { type: 'string', default: '224' },
  },
});
const HEADER = 24;

function whole(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new RangeError(`--${name}: not a count: ${text}`);
  return value;
}

function objectsFor(seed: number): 0 | 1 | 2 {
  if (values.objects === '0') return 0;
  if (values.objects === '1') return 1;
  if (values.objects === '2') return 2;
  if (values.objects !== 'mixed') throw new RangeError('--objects: give 0, 1, 2 or mixed');
  const lot = seed % 10;
  return lot < 6 ? 1 : lot < 9 ? 2 : 0;
}

function record(seed: number, size: number): Uint8Array {
  const { data, objects } = drawScene({ seed, size, objects: objectsFor(seed) });
  const bytes = new Uint8Array(HEADER + size * size * 3);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, seed, true);
  view.setUint8(4, objects.length);
  for (let i = 0; i < 2; i++) {
    const at = 6 + i * 9;
    const object = objects[i];
    view.setUint8(at, object?.classIndex ?? 255);
    if (!object) continue;
    const { x, y, width, height } = object.box;
    [x, y, width, height].forEach((value, j) => {
      view.setUint16(at + 1 + j * 2, value, true);
    });
  }
  for (let from = 0, to = HEADER; from < data.length; from += 4, to += 3) {
    bytes.set(data.subarray(from, from + 3), to);
  }
  return bytes;
}

const count = whole(values.count, 'count');
const start = whole(values['seed-start'], 'seed-start');
const size = whole(values.size, 'size');
for (let i = 0; i < count; i++) {
  if (!process.stdout.write(record(start + i, size))) await once(process.stdout, 'drain');
}
