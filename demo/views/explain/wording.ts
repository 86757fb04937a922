/** Figures as the Explain view says them. */
import {
  adapterName,
  type Explainer,
  type Explanation,
  type Progress,
  ScoreCamError,
} from '../../../src/index';
import { h } from '../../dom';
import type en from '../../texts/en/explain';

export type Texts = typeof en;

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

export function progressText(
  { phase, done, total, rate, secondsLeft }: Progress,
  texts: Texts,
): string {
  const left = secondsLeft === undefined ? '' : texts.left(duration(secondsLeft, texts));
  if (phase === 'weights') {
    return texts.weightsSoFar(megabytes(done), megabytes(total), megabytes(rate), left);
  }
  return phase === 'masks'
    ? texts.passes(done, total, left)
    : texts.measurements(done, total, left);
}

function duration(seconds: number, texts: Texts): string {
  return seconds < 100 ? texts.seconds(Math.ceil(seconds)) : texts.minutes(Math.ceil(seconds / 60));
}

/** An error in the page's words; the library's own are English in any language. */
export function errorNodes(error: unknown, texts: Texts): (Node | string)[] {
  const english = (text: string): Node => h('span', { lang: 'en' }, text);
  if (!(error instanceof ScoreCamError)) return [`${texts.errorOther} `, english(String(error))];
  const { code, message } = error;
  const lead = isHopeless(error) ? texts.errorNoWebgpu : texts.errorLead?.[code];
  return [...(lead ? [`${lead} `] : []), english(message)];
}

/** Without WebGPU there is no use in an image; after any other failure the next one tries again. */
export const isHopeless = (error: unknown): boolean =>
  error instanceof ScoreCamError && /^no-/.test(error.code);

/** What was run for this map; nothing for a class that was read off the same run. */
export function costText({ method, channels, passes }: Explanation, texts: Texts): string {
  return method === 'score-cam'
    ? texts.costScoreCam(channels.evaluated, channels.constant)
    : texts.cost(passes.forward, passes.backward, passes.head);
}

/** What a network is, and what it runs on. */
export function factsText({ model, adapter }: Explainer, texts: Texts): string {
  const { name, labels, weights } = model;
  const isLong = labels.length > 20;
  const known = `${labels.slice(0, isLong ? 6 : undefined).join(', ')}${isLong ? texts.andSoOn : ''}`;
  const facts = texts.facts(name, labels.length, known, megabytes(weights.bytes), weights.dtype);
  const where = adapterName(adapter);
  return [
    `${facts}${weights.fromCache ? texts.kept : ''}.`,
    adapter.isFallback ? texts.runsSlowly(where) : texts.runsOn(where),
    ...(weights.notKept ? [texts.notKept(weights.notKept)] : []),
  ].join(' ');
}
