/** Runs in headless Chrome: explains and measures one image by one method at a time. */

import { cascade, energyIn, randomised, spearman } from '../../src/evaluation/index';
import { METHODS } from '../../src/explain/methods/registry';
import {
  type Box,
  createExplainer,
  type Explainer,
  type Explanation,
  loadModel,
  type Model,
  type Passes,
  ScoreCamError,
} from '../../src/index';
import { drawScene } from '../../weights/scenes';
import type { Argument, CamAgreement, Discrimination, SaturationPoint } from './argument';
import { withPoolingHead } from './pooling-variant';
import { leavesScores, takesScores } from './reuse';
import type { MethodSpec } from './specs';
import type { Asked, EvaluationJob, PicturedRow, Row, SanityPoint, Subject } from './types';

interface Taken {
  readonly name: string;
  readonly image: ImageData | Blob;
  readonly asked: readonly Asked[];
  /** Score-CAM's explanations, whose masked scores serve another weighting too. */
  scored?: readonly Explanation[];
}

let taken: Taken | undefined;

export async function takeSubject(explainer: Explainer, subject: Subject): Promise<string> {
  taken =
    subject.kind === 'scene'
      ? takeScene(explainer, subject.seed)
      : await takeFile(explainer, subject);
  return taken.name;
}

function takeScene({ model }: Explainer, seed: number): Taken {
  const scene = drawScene({ seed, objects: 2, size: model.input.width });
  const image = new ImageData(
    scene.data as Uint8ClampedArray<ArrayBuffer>,
    scene.width,
    scene.height,
  );
  return { name: `scene ${seed}`, image, asked: askedOf(scene.objects, model.labels) };
}

async function takeFile(
  explainer: Explainer,
  { name, base64, objects }: Extract<Subject, { kind: 'file' }>,
): Promise<Taken> {
  const bytes = await (await fetch(`data:application/octet-stream;base64,${base64}`)).blob();
  const image = new File([bytes], name);
  if (objects.length === 0) {
    const [likeliest] = await explainer.classify(image);
    const { index, label } = likeliest as { index: number; label: string };
    return { name, image, asked: [{ index, label, otherBoxes: [] }] };
  }
  const bitmap = await createImageBitmap(image);
  const { width, height } = bitmap;
  bitmap.close();
  const { input, labels } = explainer.model;
  const scaled = objects.map(({ label, box }) => {
    const inside = scaleBox(box, { width, height }, input);
    if (inside.width > 0 && inside.height > 0) return { label, box: inside };
    throw new ScoreCamError(
      'option',
      `${name}: the box of "${label}" (${Object.values(box).join(', ')}) lies outside of what the network sees ` +
        `of this ${width}x${height} image.`,
    );
  });
  return { name, image, asked: askedOf(scaled, labels) };
}

/** Each object's class once; a class with several objects has the first one's box, and the rest are others'. */
function askedOf(
  objects: readonly { readonly label: string; readonly box: Box }[],
  labels: readonly string[],
): Asked[] {
  const kinds = [...new Set(objects.map(({ label }) => label))];
  return kinds.map((label) => {
    const index = labels.indexOf(label);
    if (index < 0) {
      throw new ScoreCamError(
        'option',
        `The model has no class "${label}": give images and boxes with labels such as ${labels.slice(0, 5).join(', ')}.`,
      );
    }
    const box = objects.find((object) => object.label === label)?.box as Box;
    const otherBoxes = objects.flatMap((object) => (object.label === label ? [] : [object.box]));
    return { index, label, box, otherBoxes };
  });
}

/** A box of the image where the network sees it: scaled, cropped at the centre where it covers. */
export function scaleBox(
  box: Box,
  image: { readonly width: number; readonly height: number },
  input: { readonly width: number; readonly height: number; readonly resize: 'cover' | 'stretch' },
): Box {
  const fill = Math.max(input.width / image.width, input.height / image.height);
  const scaleX = input.resize === 'cover' ? fill : input.width / image.width;
  const scaleY = input.resize === 'cover' ? fill : input.height / image.height;
  const left = (image.width * scaleX - input.width) / 2;
  const top = (image.height * scaleY - input.height) / 2;
  const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  const x = clamp(box.x * scaleX - left, input.width);
  const y = clamp(box.y * scaleY - top, input.height);
  return {
    x,
    y,
    width: clamp((box.x + box.width) * scaleX - left, input.width) - x,
    height: clamp((box.y + box.height) * scaleY - top, input.height) - y,
  };
}

/** Explains the image taken by one method, for every class asked, and measures the maps. */
export async function evaluate(explainer: Explainer, job: EvaluationJob): Promise<PicturedRow[]> {
  if (!taken) throw new Error('takeSubject() comes first');
  const { name: image, asked } = taken;
  const { spec, metrics, steps, pictures } = job;
  const rowOf = ({ index, label }: Asked): Row => ({
    image,
    class: index,
    label,
    method: spec.name,
  });
  let explanations: Explanation[];
  try {
    explanations = await explainAll(explainer, taken, spec);
  } catch (error) {
    // That a method is not defined for this network is part of the answer.
    if (!(error instanceof ScoreCamError && METHODS[spec.method].check)) throw error;
    return asked.map((one) => ({ ...rowOf(one), refused: error.message }));
  }
  const rows: PicturedRow[] = [];
  for (const [i, one] of asked.entries()) {
    const explanation = explanations[i] as Explanation;
    const { box, otherBoxes } = one;
    const own = box ? metrics : metrics.filter((metric) => metric !== 'pointing');
    const measures = await explainer.measure(explanation, { metrics: own, steps, box, otherBoxes });
    const { timings } = explanation;
    const passes = i === 0 ? wholePasses(explanation, taken) : explanation.passes;
    rows.push({
      ...rowOf(one),
      milliseconds: i === 0 ? timings.total : timings.map + timings.backward,
      first: i === 0,
      passes,
      measures,
      ...(pictures ? { picture: await overlayOf(explanation) } : {}),
    });
  }
  return rows;
}

/** A reweighed explanation rests on the masked passes of the one before it. */
function wholePasses({ passes, weighting }: Explanation, { scored }: Taken): Passes {
  const shared = weighting === 'increase' ? scored?.[0]?.passes.forward : undefined;
  return shared === undefined ? passes : { ...passes, forward: passes.forward + shared };
}

async function explainAll(
  explainer: Explainer,
  subject: Taken,
  spec: MethodSpec,
): Promise<Explanation[]> {
  const { method, options } = spec;
  const { image, asked, scored } = subject;
  const [first, ...others] = asked as [Asked, ...Asked[]];
  if (takesScores(spec) && scored) {
    const reweighed: Explanation[] = [];
    for (const one of scored) reweighed.push(await one.withWeighting('increase'));
    return reweighed;
  }
  const main = await explainer.explain(image, { ...options, method, class: first.index });
  const explanations = [main];
  for (const { index } of others) explanations.push(await main.forClass(index));
  if (leavesScores(spec)) subject.scored = explanations;
  return explanations;
}

async function overlayOf(explanation: Explanation): Promise<string> {
  const canvas = new OffscreenCanvas(1, 1);
  await explanation.draw(canvas);
  return base64(await canvas.convertToBlob({ type: 'image/png' }));
}

function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ''));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/**
 * Cascading randomisation (Adebayo et al. 2018) on the image taken: each method's map for the first class asked
 * against that of the model with its last layers drawn anew, stage by stage.
 */
export async function sanity(
  explainer: Explainer,
  address: string,
  specs: readonly MethodSpec[],
  onStage: (done: number, total: number) => void,
): Promise<SanityPoint[]> {
  const subject = taken as Taken;
  const stages = cascade((await loadModel(address)).network);
  const mapsOf = async (one: Explainer): Promise<(Float32Array | undefined)[]> => {
    const maps: (Float32Array | undefined)[] = [];
    for (const spec of specs) {
      const [explanation] = await explainAll(one, { ...subject, scored: [] }, spec);
      maps.push(explanation?.map.flat ? undefined : explanation?.map.data);
    }
    return maps;
  };
  onStage(0, stages.length);
  const original = await mapsOf(explainer);
  const points: SanityPoint[] = [];
  for (const [stage, layers] of stages.entries()) {
    // Opened for each stage: an explainer reads its weights once and closes them.
    const model = randomised(await loadModel(address), layers, 1 + stage);
    const changed = await createExplainer({ model });
    try {
      const maps = await mapsOf(changed);
      specs.forEach(({ name }, i) => {
        const [a, b] = [original[i], maps[i]];
        const correlation = a && b ? (spearman(a, b) ?? null) : null;
        points.push({
          method: name,
          layer: layers.at(-1) as string,
          layers: layers.length,
          correlation,
        });
      });
    } finally {
      changed.dispose();
    }
    onStage(stage + 1, stages.length);
  }
  return points;
}

/** A picture of many maps: a row an image and class, a column a method. */
export async function gallery(
  columns: readonly string[],
  rows: readonly { readonly label: string; readonly pictures: readonly (string | undefined)[] }[],
): Promise<string> {
  const size = 132;
  const gap = 6;
  const left = 110;
  const top = 44;
  const canvas = new OffscreenCanvas(
    left + columns.length * (size + gap),
    top + rows.length * (size + gap),
  );
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.fillStyle = 'white';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = 'black';
  context.font = '13px sans-serif';
  context.textBaseline = 'middle';
  for (const [column, name] of columns.entries()) {
    const x = left + column * (size + gap);
    name.split(/(?=[:(])/).forEach((line, i) => {
      context.fillText(line, x, 14 + 16 * i, size);
    });
  }
  for (const [row, { label, pictures }] of rows.entries()) {
    const y = top + row * (size + gap);
    context.fillText(label, 4, y + size / 2, left - 10);
    for (const [column, picture] of pictures.entries()) {
      if (picture === undefined) continue;
      const blob = await (await fetch(`data:image/png;base64,${picture}`)).blob();
      const bitmap = await createImageBitmap(blob);
      context.drawImage(bitmap, left + column * (size + gap), y, size, size);
      bitmap.close();
    }
  }
  return base64(await canvas.convertToBlob({ type: 'image/png' }));
}

/**
 * Everything that the argument rests on, for the first class asked of the image taken.
 * @param load opens the explainer's model again, to give it another head
 * @param onPart hears how many of its parts are done
 */
export async function argue(
  explainer: Explainer,
  wanted: number | undefined,
  load: () => Promise<Model>,
  onPart: (done: number, total: number) => void = () => {},
): Promise<Argument> {
  if (!taken) throw new Error('takeSubject() comes first');
  const { image, name, asked } = taken;
  const index = wanted ?? (asked[0] as Asked).index;
  const parts = 5;
  onPart(0, parts);
  const grad = await explainer.explain(image, { method: 'grad-cam', class: index });
  onPart(1, parts);
  const score = await explainer.explain(image, { weighting: 'increase', class: index });
  onPart(2, parts);
  const skipped = new Set(score.constantChannels);
  const maps = Array.from(grad.weights, (gradient, channel) => ({
    channel,
    gradient,
    increase: score.weights[channel] as number,
  })).filter(({ channel }) => !skipped.has(channel));
  const saturation = await saturate(explainer, grad.image, index);
  onPart(3, parts);
  const cam = await camOf(explainer, grad, image, load);
  onPart(4, parts);
  const discrimination = await discriminate([score, grad], asked);
  onPart(5, parts);
  return {
    image: name,
    model: explainer.model.name,
    label: grad.class.label,
    probability: grad.class.probability,
    maps,
    saturation,
    cam,
    discrimination,
  };
}

const STRENGTHS = 10;

/** Gradients on the way from the mean colour to the image. */
async function saturate(
  explainer: Explainer,
  { data, width, height }: ImageData,
  index: number,
): Promise<SaturationPoint[]> {
  const { mean } = explainer.model.input;
  const points: SaturationPoint[] = [];
  for (let step = 0; step <= STRENGTHS; step++) {
    const t = step / STRENGTHS;
    const blended = data.map((value, i) => {
      const grey = 255 * (mean[i % 4] ?? 0);
      return i % 4 === 3 ? 255 : grey + t * (value - grey);
    });
    const image = new ImageData(blended, width, height);
    const norms = { logit: 0, probability: 0 };
    let probability = 0;
    for (const of of ['logit', 'probability'] as const) {
      const one = await explainer.explain(image, { method: 'grad-cam', of, class: index });
      norms[of] = Math.hypot(...one.weights);
      probability = one.class.probability;
    }
    points.push({ t, probability, ofLogit: norms.logit, ofProbability: norms.probability });
  }
  return points;
}

/** CAM against Grad-CAM; where it is refused, the refusal and the two on the same layers under a pooling head. */
async function camOf(
  explainer: Explainer,
  grad: Explanation,
  image: ImageData | Blob,
  load: () => Promise<Model>,
): Promise<Argument['cam']> {
  let refused: string;
  try {
    return await camAgainst(explainer, grad, image);
  } catch (error) {
    if (!(error instanceof ScoreCamError && error.code === 'option')) throw error;
    refused = error.message;
  }
  const variant = await createExplainer({ model: withPoolingHead(await load(), 1) });
  try {
    const { index } = grad.class;
    const other = await variant.explain(image, { method: 'grad-cam', class: index });
    return { refused, variant: await camAgainst(variant, other, image) };
  } finally {
    variant.dispose();
  }
}

/** How far CAM's weights are from Grad-CAM's up to scale, as a share of the largest. */
async function camAgainst(
  explainer: Explainer,
  grad: Explanation,
  image: ImageData | Blob,
): Promise<CamAgreement> {
  const cam = await explainer.explain(image, { method: 'cam', class: grad.class.index });
  // On the same maps, CAM's weights are Grad-CAM's times the number of pixels.
  const largest = Math.max(...grad.weights.map(Math.abs));
  const scale = Math.max(...cam.weights.map(Math.abs)) / largest;
  const difference = cam.weights.reduce(
    (most, w, k) => Math.max(most, Math.abs(w / scale - (grad.weights[k] as number))),
    0,
  );
  return { difference: difference / largest };
}

async function discriminate(
  explanations: readonly Explanation[],
  asked: readonly Asked[],
): Promise<Discrimination[]> {
  const found: Discrimination[] = [];
  for (const explanation of explanations) {
    for (const { index, label, box, otherBoxes } of asked) {
      if (!box || otherBoxes.length === 0) continue;
      const { map, method } = await explanation.forClass(index);
      const [own, other] = [energyIn(map, [box]), energyIn(map, otherBoxes)];
      if (own !== undefined && other !== undefined) found.push({ method, label, own, other });
    }
  }
  return found;
}
