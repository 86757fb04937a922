/** The argument for one image, written down: every sentence from the figures, also where they speak against it. */
import * as Plot from '@observablehq/plot';
import { percent } from '../words';
import { type Argument, type CamAgreement, falseConfidence, saturationOf } from './argument';
import { svg } from './svg';

const small = (value: number): string => value.toPrecision(3);

/** Markdown, with the two plots beside it. */
export function argumentReport(argument: Argument): string {
  return [
    `# Score-CAM against gradients: ${argument.label} in ${argument.image}`,
    `${argument.model} gives "${argument.label}" ${percent(argument.probability)}.`,
    '## Does the larger weight raise the confidence more?',
    ...confidencePart(argument),
    '## Does the gradient saturate?',
    ...saturationPart(argument),
    '## CAM',
    ...camPart(argument),
    '## Are the classes told apart?',
    ...discriminationPart(argument),
    '',
  ].join('\n\n');
}

function confidencePart({ maps }: Argument): string[] {
  const { pairs, falsePairs, worst, spearman, pearson } = falseConfidence(maps);
  if (pairs === 0)
    return ['All maps have the same weight or the same increase: nothing to compare.'];
  const share = falsePairs / pairs;
  const rows = worst.map(
    ({ larger, smaller }) =>
      `| ${larger.channel} | ${small(larger.gradient)} | ${small(larger.increase)} | ${smaller.channel} | ` +
      `${small(smaller.gradient)} | ${small(smaller.increase)} |`,
  );
  const verdict =
    falsePairs === 0
      ? 'Here the gradients order the maps as measuring does: no false confidence.'
      : `In ${falsePairs} of ${pairs} pairs of maps (${percent(share)}) the map with the larger Grad-CAM weight brings ` +
        `the smaller increase of confidence${share > 0.5 ? ': more often than not' : ''}.`;
  return [
    `Over ${maps.length} maps, Grad-CAM's weight and the increase of confidence have a rank correlation of ` +
      `${spearman?.toFixed(2) ?? 'no'} (Spearman) and ${pearson?.toFixed(2) ?? 'no'} (Pearson). ${verdict}`,
    '![weight against increase](weights.svg)',
    ...(rows.length > 0
      ? [
          'The worst of them:',
          [
            '| map | weight | increase | map | weight | increase |',
            '|--:|--:|--:|--:|--:|--:|',
            ...rows,
          ].join('\n'),
        ]
      : []),
  ];
}

function saturationPart({ saturation }: Argument): string[] {
  const { peak, end, logitLeft, probabilityLeft, holds } = saturationOf(saturation);
  const factor = end.probability * (1 - end.probability);
  return [
    `From the mean colour (0) to the whole image (1), the gradient of the probability is largest at ${peak.t.toFixed(2)} ` +
      `(p = ${percent(peak.probability)}). At the whole image ${percent(probabilityLeft)} of that is left, of the logit's ` +
      `largest ${percent(logitLeft)}. The factor p (1 - p) between the two is ${small(factor)} there. ` +
      (holds
        ? 'The probability saturates: its gradient fades although the evidence grows.'
        : "On this image the probability does not saturate: its gradient keeps at least half of the share that the logit's keeps."),
    '![gradients against strength](saturation.svg)',
  ];
}

function camPart({ cam }: Argument): string[] {
  if (!('refused' in cam)) return [`CAM is defined for this network. ${agreement(cam)}`];
  return [
    `CAM is not defined for this network. ${cam.refused}`,
    'The same layers under a pooling head (a global average pooling and one linear layer, whose weights are drawn: ' +
      `what follows holds for any): there it is defined. ${agreement(cam.variant)}`,
  ];
}

function agreement({ difference }: CamAgreement): string {
  return (
    `Up to scale, its weights and Grad-CAM's differ by at most ${small(difference)} of the largest: ` +
    (difference < 1e-3 ? 'the same map, as the Grad-CAM paper proves.' : 'they differ here.')
  );
}

function discriminationPart({ discrimination }: Argument): string[] {
  if (discrimination.length === 0)
    return ['No boxes are known for this image, so this is left out.'];
  const rows = discrimination.map(
    ({ method, label, own, other }) =>
      `| ${method} | ${label} | ${percent(own)} | ${percent(other)} | ${own > other ? 'yes' : 'no'} |`,
  );
  const wrong = discrimination.filter(({ own, other }) => !(own > other));
  return [
    [
      '| method | asked for | energy in its box | in the other box | tells apart |',
      '|---|---|--:|--:|---|',
      ...rows,
    ].join('\n'),
    wrong.length === 0
      ? 'Every map has more energy in the asked object than in the other.'
      : `It does not hold for ${wrong.map(({ method, label }) => `${method} of "${label}"`).join(', ')}.`,
  ];
}

/** File name to SVG. */
export function argumentPlots({ maps, saturation }: Argument): Record<string, string> {
  const curves = saturation.flatMap(({ t, probability, ofLogit, ofProbability }) => [
    { t, value: probability, what: 'probability' },
    {
      t,
      value: ofLogit / Math.max(...saturation.map((one) => one.ofLogit)),
      what: 'gradient of the logit',
    },
    {
      t,
      value: ofProbability / Math.max(...saturation.map((one) => one.ofProbability)),
      what: 'gradient of the probability',
    },
  ]);
  return {
    'weights.svg': svg({
      width: 640,
      height: 420,
      grid: true,
      inset: 12,
      marginBottom: 45,
      marginLeft: 60,
      x: { label: "Grad-CAM's weight (mean gradient of the logit)" },
      y: { label: 'increase of confidence' },
      marks: [
        Plot.ruleX([0]),
        Plot.ruleY([0]),
        Plot.dot(maps, { x: 'gradient', y: 'increase', stroke: '#4269d0' }),
        Plot.text(maps, { x: 'gradient', y: 'increase', text: 'channel', dy: -8, fontSize: 9 }),
      ],
    }),
    'saturation.svg': svg({
      width: 640,
      height: 360,
      marginBottom: 40,
      marginRight: 170,
      x: { label: 'strength of the image' },
      y: { label: 'probability; gradients as shares of their largest', grid: true },
      marks: [
        Plot.line(curves, { x: 't', y: 'value', stroke: 'what', marker: true }),
        Plot.text(
          curves,
          Plot.selectLast({
            x: 't',
            y: 'value',
            z: 'what',
            text: 'what',
            fill: 'what',
            textAnchor: 'start',
            dx: 8,
          }),
        ),
      ],
    }),
  };
}
