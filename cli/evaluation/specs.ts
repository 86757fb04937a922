/** Which methods are evaluated, with their options, by names such as `is-cam(top=10, steps=4)`. */
import { SAMPLES, SQUARES } from '../../src/evaluation/infidelity';
import { PERCENTILES, removals } from '../../src/evaluation/road';
import { GROUPS } from '../../src/evaluation/saco';
import type { Metric } from '../../src/evaluation/types';
import type { CostOf } from '../../src/explain/methods/method';
import {
  type MethodOption,
  type NumberOption,
  OPTIONS,
  type Weighting,
} from '../../src/explain/methods/options';
import { METHOD_NAMES, METHODS, type Method, takers } from '../../src/explain/methods/registry';
import { weightings } from '../../src/explain/methods/weightings';
import { usageError } from '../errors';
import { parseNumber } from '../options';
import { leavesScores, takesScores } from './reuse';

export interface MethodSpec {
  /** As it stands in tables. */
  readonly name: string;
  readonly method: Method;
  readonly options: Readonly<Partial<Record<NumberOption, number>>> & {
    readonly weighting?: Weighting;
  };
}

/** What else is evaluated by default than each method as it is: Score-CAM's other weightings. */
const WEIGHTINGS = Object.keys(weightings).filter((name) => name !== 'probability');

/** Options that keep the many passes of these within what a software adapter can do for some hundred images. */
const CHEAPER: Readonly<Partial<Record<Method, string>>> = {
  'ss-cam': '(top=10; samples=4)',
  'is-cam': '(top=10; steps=4)',
  'group-cam': '(groups=16)',
  'opti-cam': '(steps=30)',
  rise: '(masks=100)',
};

/** Every method. */
export const DEFAULT_SPECS = METHOD_NAMES.flatMap((name) => [
  `${name}${CHEAPER[name] ?? ''}`,
  ...(name === 'score-cam' ? WEIGHTINGS.map((weighting) => `${name}:${weighting}`) : []),
]).join(', ');

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
      `--methods "${text}": choose from ${METHOD_NAMES.join(', ')}; options as in ` +
        '"is-cam(top=10; steps=4)", weightings as in "score-cam:increase".',
    );
  }
  const taken = METHODS[method as Method].options;
  if (weighting !== undefined && !('weighting' in taken && weighting in weightings)) {
    throw usageError(
      `--methods "${text}": ${takers('weighting').join(' and ')} take the weightings ` +
        `${Object.keys(weightings).join(', ')}.`,
    );
  }
  const options = (list ?? '').split(';').flatMap((part): [NumberOption, number][] => {
    if (part.trim() === '') return [];
    const [option = '', value = ''] = part.split('=').map((word) => word.trim());
    const numeric = Object.keys(taken).filter(
      (one): one is NumberOption => 'least' in OPTIONS[one as MethodOption],
    );
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

/**
 * Forward passes that each of the specs takes for one image, one after another, at most; head-only ones are not
 * counted.
 */
export function passesOf(specs: readonly MethodSpec[], target: CostOf): number[] {
  return specs.map((spec, i) => {
    const isReweighed = takesScores(spec) && specs.slice(0, i).some(leavesScores);
    // That one is the baseline's.
    return isReweighed ? 1 : METHODS[spec.method].cost(spec.options, target).forward;
  });
}

/** Forward passes that measuring the maps of one image takes, at most. */
export function measuringPasses(
  { method, options }: MethodSpec,
  metrics: readonly Metric[],
  target: CostOf,
  steps: number,
): number {
  const has = (...asked: Metric[]): number => Number(asked.some((one) => metrics.includes(one)));
  const masked = has('confidence') ? 2 : has('adcc');
  const curves = (has('insertion') + has('deletion')) * (steps + 1);
  const altered =
    has('road', 'arcc') * removals(PERCENTILES).length +
    has('saco') * GROUPS +
    has('infidelity') * SQUARES;
  // These make maps anew, whatever was there before.
  const maps = has('adcc', 'arcc') + has('sensitivity') * SAMPLES;
  const again = METHODS[method].cost(options, { ...target, classes: 1 }).forward;
  return target.classes * (masked + curves + altered + maps * again);
}
