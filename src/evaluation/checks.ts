import { ScoreCamError } from '../errors';
import { checkOption } from '../explain/check';
import { OPTIONS } from '../explain/methods/options';
import { CALLBACKS } from '../explain/option-rules';
import { isPixels, type Pixels } from '../explain/pixels';
import { allowed, shown } from '../explain/refusals';
import { all, OBJECT, type Rules } from '../explain/rules';
import type { SaliencyMap } from '../explain/types';
import type { Bench } from './scorer';
import type { Box, Measurable, MeasureOptions } from './types';

const isPercentile = (value: unknown): boolean =>
  typeof value === 'number' && value > 0 && value < 100;

export function rulesOf({ runner }: Bench): Rules<MeasureOptions> {
  const { width, height } = runner.network.input;
  /** A part of it may lie outside, where the image was cropped; a number of pixels it must hold. */
  const isBox = (value: unknown): boolean => {
    const box = (value ?? {}) as Box;
    return (
      [box.x, box.y, box.width, box.height].every(Number.isFinite) &&
      box.width > 0 &&
      box.height > 0 &&
      box.x < width &&
      box.y < height &&
      box.x + box.width > 0 &&
      box.y + box.height > 0
    );
  };
  const kind = `{ x, y, width, height } in pixels, in part at least inside the ${width}x${height} of the network's input`;
  return {
    ...CALLBACKS,
    metrics: { kind: 'an array of metrics', is: Array.isArray },
    box: { kind, is: isBox },
    otherBoxes: { kind: `an array of boxes, each ${kind}`, is: all(isBox) },
    steps: { least: 1, most: Math.min(width * height, 10_000), whole: true },
    percentiles: {
      kind: 'an array of numbers above 0 and below 100',
      is: (value) => all(isPercentile)(value) && (value as unknown[]).length > 0,
    },
    noise: { least: 0, most: 10, whole: false },
    groups: { least: 2, most: Math.min(width * height, 1000), whole: true },
    squares: { least: 1, most: 10_000, whole: true },
    samples: { least: 1, most: 1000, whole: true },
    radius: { least: 0, most: 10, whole: false },
    seed: OPTIONS.seed,
  };
}

/** A map's values are quotients, which a GPU may round up: as much as this they may lie outside of 0 to 1. */
const ROUNDING = 1e-5;

/** @throws ScoreCamError `option`, or `image` for an image that is not of RGBA bytes */
export async function checkSubject({ runner }: Bench, subject: Measurable): Promise<void> {
  await checkOption('What is to be measured', OBJECT, subject);
  const { map, image, class: own } = subject;
  await checkOption('map', OBJECT, map);
  await checkOption('class', OBJECT, own);
  const { input, labels } = runner.network;
  for (const [what, size] of Object.entries({ map, image: image ?? {} }) as [string, Pixels][]) {
    if (size.width === input.width && size.height === input.height) continue;
    fail(
      `The ${what} is ${size.width}x${size.height}, the network's input ${input.width}x${input.height}: ` +
        'give the map and the image at that size.',
    );
  }
  if (!isPixels(image)) (await import('../explain/decode')).refuse(image);
  checkValues(map);
  const { index, probability = 0 } = own;
  if (!(Number.isInteger(index) && index >= 0 && index < labels.length)) {
    fail(`There is no class ${shown(index)}: classes are numbered 0 to ${labels.length - 1}.`);
  }
  await checkOption('The probability of the class', SHARE, probability);
}

const SHARE = { least: 0, most: 1, whole: false };

function checkValues({ data, width, height }: SaliencyMap): void {
  const pixels = width * height;
  if (data?.[Symbol.toStringTag] !== 'Float32Array' || data.length !== pixels) {
    fail(
      `The data of the ${width}x${height} map is ${shown(data)}${data?.length === undefined ? '' : ` of length ${data.length}`}: give ` +
        `a Float32Array of ${pixels}.`,
    );
  }
  const bad = data.findIndex((value) => !(value >= -ROUNDING && value <= 1 + ROUNDING));
  if (bad >= 0) {
    fail(
      `The map is ${data[bad]} at pixel ${bad}, must be ${allowed(SHARE)} everywhere: min-max normalise it.`,
    );
  }
}

export function fail(message: string): never {
  throw new ScoreCamError('option', message);
}
