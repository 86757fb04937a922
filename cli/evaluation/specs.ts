/** Which methods are evaluated, with their options, by names such as `is-cam(top=10, steps=4)`. */
import type { Metric } from '../../src/evaluation/types';
import { METHODS, NUMBERS, type NumberOption } from '../../src/explain/method-options';
import type { Method, Weighting } from '../../src/explain/types';
import { weightings } from '../../src/explain/weightings';
import { usageError } from '../errors';
import { parseNumber } from '../options';

export interface MethodSpec {
  /** As it stands in tables. */
  readonly name: string;
  readonly method: Method;
  readonly options: Readonly<Partial<Record<NumberOption, number>>> & {
    readonly weighting?: Weighting;
  };
}

/**
 * Every method, with options that keep the many passes of SS-CAM, IS-CAM and RISE within what a software
 * adapter can do for some hundred images.
 */
export const DEFAULT_SPECS =
  'score-cam, score-cam:increase, score-cam:softmax-logit, score-cam:softmax-increase, faster-score-cam, ' +
  'ss-cam(top=10; samples=4), is-cam(top=10; steps=4), group-cam(groups=16), rise(masks=100), ablation-cam, ' +
  'recipro-cam, grad-cam, grad-cam++, hires-cam, layer-cam, cam';

/** @throws CliError naming the part that is wrong and what there is */
export function parseSpecs(text: string): MethodSpec[] {
  const specs = text.split(',').map((part) => parseSpec(part.trim()));
  const twice = specs.find(({ name }, i) => specs.findIndex((one) => one.name === name) !== i);
  if (twice) throw usageError(`--methods lists ${twice.name} twice: name each once.`);
  return specs;
}

function parseSpec(text: string): MethodSpec {
  const [, method = '', weighting, list] =
    /^([a-z+-]+)(?::([a-z-]+))?\s*(?:\(([^)]*)\))?$/.exec(text) ?? [];
  if (!Object.hasOwn(METHODS, method)) {
    throw usageError(
      `--methods "${text}": choose from ${Object.keys(METHODS).join(', ')}; options as in ` +
        '"is-cam(top=10; steps=4)", weightings as in "score-cam:increase".',
    );
  }
  const taken = METHODS[method as Method];
  if (weighting !== undefined && !(taken.includes('weighting') && weighting in weightings)) {
    throw usageError(
      `--methods "${text}": score-cam and faster-score-cam take the weightings ` +
        `${Object.keys(weightings).join(', ')}.`,
    );
  }
  const options = (list ?? '').split(';').flatMap((part): [NumberOption, number][] => {
    if (part.trim() === '') return [];
    const [option = '', value = ''] = part.split('=').map((word) => word.trim());
    const numeric = taken.filter((one): one is NumberOption => one in NUMBERS);
    if (!numeric.includes(option as NumberOption)) {
      throw usageError(
        `--methods "${text}": ${method} has no option "${option}"` +
          `${numeric.length > 0 ? `, it takes ${numeric.join(', ')}` : ''}.`,
      );
    }
    return [[option as NumberOption, parseNumber(option as NumberOption, value)]];
  });
  const shown = options.map(([option, value]) => `${option}=${value}`).join('; ');
  return {
    name: `${method}${weighting ? `:${weighting}` : ''}${shown ? `(${shown})` : ''}`,
    method: method as Method,
    options: {
      ...Object.fromEntries(options),
      ...(weighting ? { weighting: weighting as Weighting } : {}),
    },
  };
}

/** Forward passes that a spec takes for one image and so many classes, at most; head-only ones are not counted. */
export function passesOf(
  { method, options }: MethodSpec,
  channels: number,
  classes: number,
): number {
  const top = Math.min(options.top ?? (method === 'faster-score-cam' ? 10 : channels), channels);
  switch (method) {
    case 'score-cam':
      return options.weighting === 'increase' ? 1 : 1 + channels;
    case 'faster-score-cam':
      return 1 + top;
    case 'ss-cam':
      return 1 + top * (options.samples ?? NUMBERS.samples.fallback);
    case 'is-cam':
      return 1 + top * (options.steps ?? NUMBERS.steps.fallback);
    case 'group-cam':
      return 2 + classes * Math.min(options.groups ?? NUMBERS.groups.fallback, channels);
    case 'rise':
      return 1 + (options.masks ?? NUMBERS.masks.fallback);
    default:
      return 1;
  }
}

/** Forward passes that measuring the maps of one image takes, at most. */
export function measuringPasses(
  spec: MethodSpec,
  metrics: readonly Metric[],
  channels: number,
  classes: number,
  steps: number,
): number {
  const has = (metric: Metric): number => Number(metrics.includes(metric));
  const masked = has('confidence') ? 2 : has('adcc');
  const curves = (has('insertion') + has('deletion')) * (steps + 1);
  return classes * (masked + curves + has('adcc') * passesOf(spec, channels, 1));
}
