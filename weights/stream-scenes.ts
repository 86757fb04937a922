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
import { newCommand, parsed } from '../cli/command';
import { parseName, parseWhole } from '../cli/option-types';
import { drawScene } from './scenes';

const program = newCommand('stream-scenes', 'Writes drawn scenes to standard output, for training.')
  .option('--count <n>', 'scenes to write', '100')
  .option('--seed-start <seed>', 'seed of the first scene', '0')
  .option('--objects <n>', '0, 1, 2 or mixed: objects in a scene', 'mixed')
  .option('--size <pixels>', "side of a scene's picture", '224');
const options = parsed<{ count: string; seedStart: string; objects: string; size: string }>(
  program,
);
const objects = parseName('--objects', options.objects, ['0', '1', '2', 'mixed']);
const HEADER = 24;

function objectsFor(seed: number): 0 | 1 | 2 {
  if (objects !== 'mixed') return Number(objects) as 0 | 1 | 2;
  const lot = seed % 10;
  return lot < 6 ? 1 : lot < 9 ? 2 : 0;
}

function record(seed: number, size: number): Uint8Array {
  const { data, objects: drawn } = drawScene({ seed, size, objects: objectsFor(seed) });
  const bytes = new Uint8Array(HEADER + size * size * 3);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, seed, true);
  view.setUint8(4, drawn.length);
  for (let i = 0; i < 2; i++) {
    const at = 6 + i * 9;
    const object = drawn[i];
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

const count = parseWhole('--count', options.count, 0);
const start = parseWhole('--seed-start', options.seedStart, 0);
const size = parseWhole('--size', options.size, 1);
for (let i = 0; i < count; i++) {
  if (!process.stdout.write(record(start + i, size))) await once(process.stdout, 'drain');
}
