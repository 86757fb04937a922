import { adapterName } from '../../src/gpu/facts';
import type { BenchFile, Measurement } from '../measure/types';
import { bars } from './bars';
import { drawIn } from './draw';
import { type Fact, factOf, roofOf } from './facts';
import { escaped, ms, number, percent } from './format';
import { type Column, figure, paragraph, section, table } from './html';
import { isaPart } from './isa';
import { kernelShares } from './kernel-shares';
import { ladders } from './ladders';
import { DIRECT, type Material, nameColumn, rateColumns, timeColumns } from './material';
import { peerPart } from './peers';
import { colourOf, dotsOf, groupsOf, roofline } from './roofline';
import { skippingPart } from './skipping';
import { style } from './style';

const of = ({ facts }: Material, wanted: Measurement['section']): Fact[] =>
  facts.filter(({ measurement }) => measurement.section === wanted);

/** The report as one HTML page that needs nothing else: no script, no font, no picture from anywhere. */
export function reportPage(file: BenchFile, document: Document): string {
  const roof = roofOf(file);
  const facts = file.results.map((measurement) => factOf(measurement, roof));
  const material: Material = { file, facts, draw: drawIn(document) };
  const name = adapterName(file.adapter);
  const parts = [
    roofPart(material),
    layerPart(material),
    kernelShares(material),
    firstLayerPart(material),
    skippingPart(material),
    ladders(material),
    peerPart(material),
    isaPart(material),
    everything(material),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>score-cam-webgpu on ${escaped(name)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>score-cam-webgpu on ${escaped(name)}</h1>
<p class="soft">${escaped(method(file))}</p>
</header>
<main>
${headline(material)}
${adapterFacts(file)}
${parts.filter(Boolean).join('\n')}
</main>
</body>
</html>
`;
}

function method({ clock, runs, adapter }: BenchFile): string {
  const times =
    clock === 'timestamps'
      ? "Times are the GPU's own, by timestamp queries round every dispatch, where nothing else is said"
      : 'This device has no timestamp queries: times are by the wall clock and hold the overhead of a submit';
  const software = adapter.isFallback
    ? ' This is a software adapter: its ranking of kernels says nothing about GPUs.'
    : '';
  const counted =
    runs === 1
      ? 'one run'
      : `the median of ${runs} runs (3 or fewer of what takes seconds), with the fastest and the slowest`;
  return `${times}; ${counted}, after a warm-up.${software}`;
}

function headline({ file, facts }: Material): string {
  const wanted: [RegExp, (fact: Fact) => string][] = [
    [/^forward pass$/, () => 'one forward pass of VGG-16'],
    [/^masked passes/, ({ measurement }) => `each of ${measurement.batch} masked passes of VGG-16`],
    [
      /^full explanation, as the library does it$/,
      ({ measurement }) =>
        `a full explanation by ${measurement.group ?? 'the embedded model'}, ${measurement.batch} passes`,
    ],
  ];
  const tiles = wanted.flatMap(([pattern, text]) => {
    const fact = facts.find(
      ({ measurement }) => measurement.section === 'whole' && pattern.test(measurement.name),
    );
    if (!fact) return [];
    const each = /^masked/.test(fact.measurement.name) ? (fact.measurement.batch ?? 1) : 1;
    return [`<li><strong>${ms(fact.time.median / each)} ms</strong>${escaped(text(fact))}</li>`];
  });
  const { peak } = file;
  const peaks = `<li><strong>${number(peak.gflops)} GFLOP/s</strong>and ${number(peak.gbps)} GB/s: the adapter's measured peak</li>`;
  return `<ul class="tiles">\n${[...tiles, peaks].join('\n')}\n</ul>`;
}

function adapterFacts({ adapter, machine, date, stated, clock }: BenchFile): string {
  const items: [string, string][] = [
    ['Date', date],
    ['Adapter', [adapter.vendor, adapter.architecture, adapter.device].filter(Boolean).join(', ')],
    ['Description', adapter.description],
    ['Kind', adapter.isFallback ? 'software adapter' : 'GPU'],
    ['Runtime', machine.runtime],
    ['CPU', machine.cpu ? `${machine.cores} x ${machine.cpu}` : `${machine.cores} cores`],
    ['System', machine.platform],
    ['Clock', clock],
    [
      "Data sheet's peak",
      stated
        ? [
            ...(stated.gflops ? [`${number(stated.gflops)} GFLOP/s`] : []),
            ...(stated.gbps ? [`${number(stated.gbps)} GB/s`] : []),
          ].join(', ')
        : '',
    ],
    ['Features', adapter.features.join(', ')],
  ];
  const shown = items.filter(([, text]) => text !== '');
  return `<dl class="facts">\n${shown.map(([name, text]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(text)}</dd></div>`).join('\n')}\n</dl>`;
}

function roofPart(material: Material): string {
  const { file, draw } = material;
  const facts = of(material, 'kernels');
  const dots = dotsOf(facts);
  if (dots.length === 0) return '';
  const roof = roofOf(file);
  const legend = groupsOf(dots)
    .map((group) => `<li><i style="background:${colourOf(group)}"></i>${escaped(group)}</li>`)
    .join('');
  const best = [...facts].sort((a, b) => (b.share ?? 0) - (a.share ?? 0))[0] as Fact;
  const whose = file.stated ? "the data sheet's" : 'measured';
  return section(
    'Roofline',
    paragraph(
      `Each dot is a kernel. The line is the most this adapter can do (${whose}): on the slope memory is the limit, on the flat part arithmetic. Bytes count every tensor once, so a kernel that reads a tensor twice lies lower, and one whose tensors stay in a cache may lie above the slope.`,
    ),
    figure(
      `Roofline of ${dots.length} kernels under ${number(roof.gflops)} GFLOP/s and ${number(roof.gbps)} GB/s. The largest share of the roof at its intensity has ${best.measurement.name}: ${percent(best.share)}.`,
      roofline(dots, roof, draw),
      table(
        'Kernels that compute',
        [
          nameColumn,
          { head: 'FLOP a byte', of: ({ intensity }) => number(intensity), isNumber: true },
          ...rateColumns,
        ],
        facts.filter(({ intensity }) => intensity),
      ),
      `<ul class="legend">${legend}</ul>`,
    ),
  );
}

const predictedColumn: Column<Fact> = {
  head: 'measured / predicted',
  of: ({ measurement: { predicted }, time }) => (predicted ? number(time.median / predicted) : ''),
  isNumber: true,
};

function layerPart(material: Material): string {
  const facts = of(material, 'layers');
  if (facts.length === 0) return '';
  const total = facts.reduce((sum, { time }) => sum + time.median, 0);
  const slowest = facts.reduce((a, b) => (b.time.median > a.time.median ? b : a));
  const hasDirect = facts.some(({ measurement }) => measurement.asDirect);
  return section(
    'VGG-16, layer by layer',
    paragraph(
      'One image, in the way the library runs it on this adapter; all dispatches of a layer added up, a pooling with the convolution it is fused into.',
    ),
    figure(
      `Time of each layer in one forward pass, ${ms(total)} ms in all. The longest is ${slowest.measurement.name} with ${ms(slowest.time.median)} ms. The thin lines go from the fastest run to the slowest.`,
      bars(
        facts.map(({ measurement, time, gflops }) => ({
          name: measurement.name,
          value: time.median,
          min: time.min,
          max: time.max,
          text: `${ms(time.median)} ms, ${number(gflops)} GFLOP/s${measurement.asDirect ? '*' : ''}`,
        })),
        'milliseconds',
        material.draw,
      ),
      table(
        'Layers of VGG-16',
        [
          nameColumn,
          ...timeColumns,
          ...rateColumns,
          ...(facts.some(({ measurement }) => measurement.predicted) ? [predictedColumn] : []),
        ],
        facts,
      ),
    ),
    hasDirect ? paragraph(DIRECT) : '',
  );
}

function firstLayerPart(material: Material): string {
  const facts = of(material, 'first layer');
  if (facts.length === 0) return '';
  const perImage = ({ time, measurement }: Fact): number => time.median / (measurement.batch ?? 1);
  const masked = (fact: Fact): boolean => fact.measurement.name.startsWith('mask');
  return section(
    'The first layer, plain and with the mask fused in',
    paragraph(
      'conv1_1 of VGG-16, 3 to 64 channels at 224 x 224. The fused kernel upsamples and normalises the mask as it loads; no masked image is ever stored. "Half the patches" is what skipping runs where half of the image is masked out; f16 is the type of the weights.',
    ),
    figure(
      'Milliseconds an image or mask of the first layer, plain in one colour, masked in the other.',
      bars(
        facts.map((fact) => ({
          name: fact.measurement.name,
          value: perImage(fact),
          text: `${ms(perImage(fact))} ms`,
          ...(masked(fact) ? { colour: 'var(--other)' } : {}),
        })),
        'milliseconds an image',
        material.draw,
      ),
      table(
        'The first layer',
        [
          nameColumn,
          {
            head: 'images',
            of: ({ measurement }) => String(measurement.batch ?? 1),
            isNumber: true,
          },
          { head: 'ms an image', of: (fact) => ms(perImage(fact)), isNumber: true },
          ...timeColumns,
          ...rateColumns,
        ],
        facts,
      ),
    ),
  );
}

function everything({ facts }: Material): string {
  const hasDirect = facts.some(({ measurement }) => measurement.asDirect);
  return section(
    'Everything',
    table(
      'All measurements',
      [
        nameColumn,
        {
          head: 'part',
          of: ({ measurement: { section: part, group } }) => (group ? `${part}: ${group}` : part),
        },
        { head: 'batch', of: ({ measurement }) => String(measurement.batch ?? ''), isNumber: true },
        ...timeColumns,
        ...rateColumns,
        { head: 'runs', of: ({ measurement }) => String(measurement.runs.length), isNumber: true },
        { head: 'clock', of: ({ measurement }) => measurement.clock },
      ],
      facts,
    ),
    hasDirect ? paragraph(DIRECT) : '',
  );
}
