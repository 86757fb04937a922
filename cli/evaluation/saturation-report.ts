/** How far gradients saturate on scenes with one object, where the network is sure: figures and their report. */
import { median } from '../median';
import { percent } from '../words';

export interface SaturatedScene {
  readonly image: string;
  readonly label: string;
  /** p_c of the whole image. */
  readonly probability: number;
  /** The gradient's norm at the whole image as a share of its largest on the way from the mean colour. */
  readonly logitLeft: number;
  readonly probabilityLeft: number;
  /** Whether the probability's keeps less than half of the share that the logit's keeps. */
  readonly saturates: boolean;
  /** The largest p_c(X o H_k) - p_c(X_b) of a map. */
  readonly largestIncrease: number;
  /** Whether Grad-CAM's map of the probability is flat: its gradient has vanished in f32. */
  readonly flat: boolean;
  /** Pearson's correlation of Grad-CAM's maps of the logit and of the probability; null where one is flat. */
  readonly sameMap: number | null;
}

/** From where on the network is called sure. */
const SURE = 0.99;

/** Markdown: every sentence from the figures, also where they speak against it. */
export function saturationReport(scenes: readonly SaturatedScene[], model: string): string {
  const sure = scenes.filter(({ probability }) => probability >= SURE);
  const faded = sure.filter(({ saturates }) => saturates);
  const same = sure.flatMap(({ sameMap }) => (sameMap === null ? [] : [sameMap]));
  const rows = [
    ['p of the class', quartiles(sure.map(({ probability }) => probability))],
    ["left of the probability's gradient", quartiles(sure.map((one) => one.probabilityLeft))],
    ["left of the logit's gradient", quartiles(sure.map(({ logitLeft }) => logitLeft))],
    ['largest increase of confidence by a map', quartiles(sure.map((one) => one.largestIncrease))],
    ["correlation of Grad-CAM's maps of logit and probability", quartiles(same)],
  ];
  return [
    `# Saturation: ${model}, ${scenes.length} scenes with one object`,
    `In ${sure.length} of them the object's probability is at least ${percent(SURE)}.` +
      (sure.length === 0 ? ' So nothing can be said of saturation here.' : ''),
    ...(sure.length === 0
      ? []
      : [
          [
            '| of those | median (quartiles) |',
            '|---|--:|',
            ...rows.map(([what, value]) => `| ${what} | ${value} |`),
          ].join('\n'),
          `From the mean colour to the whole image the probability's gradient fades below half of the share that the ` +
            `logit's keeps in ${faded.length} of ${sure.length} scenes: ` +
            (faded.length > sure.length / 2 ? 'it saturates.' : 'mostly it does not saturate.') +
            ` Grad-CAM's map of the probability is flat in ${sure.filter(({ flat }) => flat).length}.`,
        ]),
    '',
  ].join('\n\n');
}

function quartiles(values: readonly number[]): string {
  if (values.length === 0) return 'none';
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.round(share * (sorted.length - 1))] as number).toPrecision(3);
  return `${median(sorted).toPrecision(3)} (${at(0.25)} to ${at(0.75)})`;
}
