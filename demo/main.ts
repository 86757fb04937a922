/** The demo page: an image in, a heat map out, all through the library's public API. */
import { adapterName, percent } from '../cli/words';
import { placementOf } from '../src/explain/image';
import {
  browserCache,
  createExplainer,
  type Explainer,
  type Explanation,
  type Method,
  PRESETS,
  type Progress,
  ScoreCamError,
  type WeightDtype,
} from '../src/index';

const BUILT_IN = 'scenes-vgg16';
const SAMPLE = `../weights/${BUILT_IN}/sample.png`;

/** Which network, from where: its weights come from the given files, this server's disk or the web. */
interface Choice {
  readonly model: string;
  readonly dtype: WeightDtype | undefined;
  readonly files?: readonly File[];
}

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const canvas = element<HTMLCanvasElement>('canvas');
const drop = element('drop');
const file = element<HTMLInputElement>('file');
const sample = element<HTMLButtonElement>('sample');
const cancel = element<HTMLButtonElement>('cancel');
const opacity = element<HTMLInputElement>('opacity');
const classes = element('classes');
const method = element<HTMLSelectElement>('method');
const model = element<HTMLSelectElement>('model');
const dtype = element<HTMLSelectElement>('dtype');
const weights = element<HTMLInputElement>('weights');

/** Weights of the web are kept in this browser, so that they are downloaded once. */
const cache = browserCache();
let chosen: Choice = { model: BUILT_IN, dtype: undefined };
let explainer: Promise<Explainer> | undefined;
let shown: Explanation | undefined;
let running: AbortController | undefined;
/** What is shown or being worked on; another method explains it anew. */
let image: Blob | undefined;

/** The methods on offer: name, and what it does and takes on a target layer with so many maps. */
const METHODS: readonly (readonly [Method, string, (maps: number) => string])[] = [
  [
    'score-cam',
    'Score-CAM',
    (maps) => `Hides all but what one map shows, and asks again: up to ${maps + 1} passes.`,
  ],
  [
    'faster-score-cam',
    'Faster-Score-CAM',
    (maps) =>
      `The same for the ${Math.min(10, maps)} most varied maps: ${Math.min(10, maps) + 1} passes.`,
  ],
  [
    'ablation-cam',
    'Ablation-CAM',
    (maps) => `Takes one map away: 1 pass, and the last layers alone ${maps} times.`,
  ],
  ['grad-cam', 'Grad-CAM', () => 'Asks the gradient which maps matter: 1 pass, and 1 back.'],
  [
    'layer-cam',
    'LayerCAM',
    () => 'The gradient at every place by itself: 1 pass, and 1 back. Finer, and noisier.',
  ],
];

function noteMethod(maps: number): void {
  const [, , price] = METHODS.find(([name]) => name === method.value) as (typeof METHODS)[number];
  element('method-note').textContent = price(maps);
}

function mapsOf({ model: { layers, targetLayer } }: Explainer): number {
  return layers.find(({ name }) => name === targetLayer)?.channels ?? 0;
}

function say(text: string, isError = false): void {
  const status = element('status');
  status.textContent = text;
  status.classList.toggle('error', isError);
}

function explain(error: unknown): string {
  if (!(error instanceof ScoreCamError)) return `Something went wrong: ${error}`;
  const { code, message } = error;
  return code === 'no-webgpu' || code === 'no-adapter'
    ? `This page computes with WebGPU, which is not available here. ${message}`
    : message;
}

/** Loads the chosen network; after a failure the next call tries again. */
function load(): Promise<Explainer> {
  explainer ??= open(chosen).catch((error) => {
    explainer = undefined;
    throw error;
  });
  return explainer;
}

async function open({ model, dtype, files }: Choice, signal?: AbortSignal): Promise<Explainer> {
  const options = { dtype, signal, onProgress: showProgress };
  if (files) return createExplainer({ ...options, model, weights: files });
  const local = await localManifest(model, dtype);
  return createExplainer(local ? { ...options, model: local } : { ...options, model, cache });
}

/** Manifest of a model in this server's weights/ folder: built in, or made by `npm run weights`. */
async function localManifest(
  name: string,
  form: WeightDtype | undefined,
): Promise<string | undefined> {
  const url = `../weights/${name}${form && form !== 'f32' ? `-${form}` : ''}/manifest.json`;
  if (name === BUILT_IN) return url;
  const found = await fetch(url, { method: 'HEAD' }).catch(() => undefined);
  return found?.ok && found.headers.get('content-type')?.includes('json') ? url : undefined;
}

async function start(): Promise<void> {
  try {
    describe(await load());
    say('Ready.');
  } catch (error) {
    file.disabled = true;
    sample.disabled = true;
    say(explain(error), true);
  }
}

function describe(loadedNetwork: Explainer): void {
  const { model, adapter } = loadedNetwork;
  const { name, labels, weights: loaded } = model;
  noteMethod(mapsOf(loadedNetwork));
  const gpu = adapterName(adapter);
  const known =
    labels.length > 20 ? `${labels.slice(0, 6).join(', ')} and so on` : labels.join(', ');
  const kept = loaded.notKept ? ` Its weights could not be kept here: ${loaded.notKept}.` : '';
  element('facts').textContent =
    `The network, ${name}, knows ${labels.length} things: ${known}. Its weights take ` +
    `${megabytes(loaded.bytes)} as ${loaded.dtype}${loaded.fromCache ? ', kept from an earlier visit' : ''}. ` +
    `It runs on ${gpu}${adapter.isFallback ? ', a software adapter, so give it some time' : ''}.${kept}`;
}

/** Puts another network in the place of the one at work, which stays if that fails. */
async function change(choice: Choice): Promise<void> {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  element('working').hidden = false;
  element('passes').textContent = '';
  element<HTMLProgressElement>('progress').removeAttribute('value');
  say(`Loading ${choice.model} ...`);
  try {
    const opened = await open(choice, controller.signal);
    const before = await explainer?.catch(() => undefined);
    chosen = choice;
    explainer = Promise.resolve(opened);
    shown = undefined;
    element('result').hidden = true;
    before?.dispose();
    file.disabled = false;
    sample.disabled = false;
    describe(opened);
    say('Ready.');
  } catch (error) {
    if (running !== controller) return;
    say(controller.signal.aborted ? 'Cancelled.' : explain(error), !controller.signal.aborted);
  } finally {
    if (running === controller) {
      running = undefined;
      element('working').hidden = true;
    }
  }
}

function duration(seconds: number): string {
  return seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

function listModels(): void {
  const option = (value: string, text: string): HTMLOptionElement => new Option(text, value);
  model.replaceChildren(
    option(BUILT_IN, 'Scenes: drawn shapes, built in'),
    ...PRESETS.map((name) => option(name, `${name}: ImageNet`)),
  );
  model.value = chosen.model;
  noteModel();
}

function noteModel(): void {
  const name = model.value;
  const needsFile = name.endsWith('-keras');
  dtype.disabled = name === BUILT_IN;
  weights.disabled = name === BUILT_IN;
  element<HTMLButtonElement>('load').disabled = needsFile;
  element('network-note').textContent =
    name === BUILT_IN
      ? 'A small network of this project; it is here already.'
      : needsFile
        ? 'Choose model.json and all its shards together, as tensorflowjs_converter wrote them.'
        : '1000 classes. Load takes the weights from this server if npm run weights put them there, else ' +
          'about 550 MB from huggingface.co, which this browser then keeps in the form chosen. From ' +
          'your disk: safetensors or .pth of torchvision or timm.';
}

function showProgress({ phase, done, total, rate, secondsLeft }: Progress): void {
  const bar = element<HTMLProgressElement>('progress');
  bar.max = total;
  bar.value = done;
  const left = secondsLeft === undefined ? '' : `, about ${duration(secondsLeft)} left`;
  element('passes').textContent =
    phase !== 'weights'
      ? `${done} of ${total} ${phase === 'masks' ? 'passes' : 'measurements'}${left}`
      : `Weights: ${megabytes(done)} of ${megabytes(total)}, ${megabytes(rate)} a second${left}`;
}

/** Explains an image. One that comes while another is at work takes its place. */
async function run(wanted: Blob): Promise<void> {
  image = wanted;
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const { signal } = controller;
  shown = undefined;
  element('result').hidden = true;
  element('working').hidden = false;
  element('passes').textContent = '';
  element<HTMLProgressElement>('progress').removeAttribute('value');
  say('Looking ...');
  try {
    const loaded = await load();
    await preview(wanted, loaded.model.input);
    signal.throwIfAborted();
    const onProgress = (progress: Progress): void => {
      if (running === controller) showProgress(progress);
    };
    const onPreview = (soFar: Explanation): void => {
      if (running === controller) showPreview(soFar);
    };
    const explanation = await loaded.explain(wanted, {
      method: method.value as Method,
      signal,
      onProgress,
      onPreview,
    });
    signal.throwIfAborted();
    listClasses(explanation);
    await show(explanation);
    element('result').hidden = false;
  } catch (error) {
    if (running !== controller) return;
    if (signal.aborted) {
      say('Cancelled.');
    } else {
      // A lost device does not come back: the next image starts with a new one.
      if (error instanceof ScoreCamError && error.code === 'device-lost') explainer = undefined;
      say(explain(error), true);
    }
  } finally {
    if (running === controller) {
      running = undefined;
      element('working').hidden = true;
    }
  }
}

/** The image while the network works on it. */
async function preview(image: Blob, input: Explainer['model']['input']): Promise<void> {
  const bitmap = await createImageBitmap(image).catch(() => undefined);
  // Explaining it will say what is wrong with it.
  if (!bitmap) return;
  const { scaleX, scaleY, left, top } = placementOf(bitmap, input);
  canvas.width = input.width;
  canvas.height = input.height;
  canvas
    .getContext('2d')
    ?.drawImage(bitmap, left, top, scaleX * bitmap.width, scaleY * bitmap.height);
  bitmap.close();
  canvas.setAttribute('aria-label', 'The image, not yet explained');
  drop.classList.add('full');
  element('hint').hidden = true;
}

/** One button for each of the likeliest classes. All of them come from the same run. */
function listClasses(explanation: Explanation): void {
  classes.replaceChildren(
    ...explanation.top.map(({ index, label, probability }) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.index = String(index);
      const name = document.createElement('span');
      name.textContent = label;
      const share = document.createElement('span');
      share.textContent = percent(probability);
      button.append(name, share);
      button.addEventListener('click', () => void choose(explanation, index));
      return button;
    }),
  );
}

async function choose(explanation: Explanation, index: number): Promise<void> {
  try {
    await show(await explanation.forClass(index));
  } catch (error) {
    say(explain(error), true);
  }
}

async function show(explanation: Explanation): Promise<void> {
  shown = explanation;
  await redraw();
  const { label, index, probability } = explanation.class;
  for (const button of classes.querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(button.dataset.index === String(index)));
  }
  canvas.setAttribute('aria-label', `The image with a heat map for ${label}`);
  say(
    explanation.map.flat
      ? `The map for ${label} is flat: no place counts more than another.`
      : `Here it looked for: ${label} (${percent(probability)}). ${costOf(explanation)}.`,
  );
}

/** What the passes so far say; the most telling maps come first, so it soon looks like the end. */
function showPreview(soFar: Explanation): void {
  shown = soFar;
  void redraw();
  const { label } = soFar.class;
  const { evaluated, total, constant } = soFar.channels;
  const passes = `${evaluated} of ${total - constant} passes`;
  canvas.setAttribute('aria-label', `The image with a first heat map for ${label}, from ${passes}`);
  // The same words each time: a screen reader says them once.
  say(`A first map for ${label} is there; it gets clearer ...`);
}

/** What was run for this map; nothing for a class that was read off the same run. */
function costOf({ method, channels, passes }: Explanation): string {
  if (method === 'score-cam') {
    return `${channels.evaluated} passes, ${channels.constant} constant channels skipped`;
  }
  const parts = [
    [passes.forward, 'forward'],
    [passes.backward, 'backward'],
    [passes.head, 'through the last layers'],
  ] as const;
  const run = parts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : []));
  return run.length > 0 ? `Passes: ${run.join(', ')}` : 'No pass was run again';
}

let drawing = false;
let stale = false;

/** Draws what is shown now; while a drawing is under way, only the last request counts. */
async function redraw(): Promise<void> {
  stale = true;
  if (drawing) return;
  drawing = true;
  try {
    while (stale && shown) {
      stale = false;
      await shown.draw(canvas, { opacity: Number(opacity.value) });
    }
  } finally {
    drawing = false;
  }
}

file.addEventListener('change', () => {
  const [chosen] = file.files ?? [];
  if (chosen) void run(chosen);
  // Choosing the same file again is a change too.
  file.value = '';
});
sample.addEventListener('click', async () => {
  try {
    const response = await fetch(SAMPLE);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    await run(await response.blob());
  } catch (error) {
    say(`The sample could not be fetched: ${error}`, true);
  }
});
cancel.addEventListener('click', () => running?.abort());
opacity.addEventListener('input', () => void redraw());

// Anywhere on the page will do; without this the browser would open the file instead.
for (const type of ['dragover', 'dragleave', 'drop'] as const) {
  window.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', type === 'dragover');
    const dropped = type === 'drop' ? event.dataTransfer?.files[0] : undefined;
    if (dropped && !file.disabled) void run(dropped);
  });
}

method.addEventListener('change', () => {
  const told = (loaded: Explainer): void => noteMethod(mapsOf(loaded));
  // That a network does not load has been said.
  void explainer?.then(told, () => {});
  if (image) void run(image);
});

model.addEventListener('change', noteModel);
element('load').addEventListener('click', () => {
  const isBuiltIn = model.value === BUILT_IN;
  void change({
    model: model.value,
    dtype: isBuiltIn ? undefined : (dtype.value as WeightDtype),
  });
});
weights.addEventListener('change', () => {
  const files = [...(weights.files ?? [])];
  if (files.length > 0) {
    void change({ model: model.value, dtype: dtype.value as WeightDtype, files });
  }
  weights.value = '';
});

method.replaceChildren(...METHODS.map(([name, text]) => new Option(text, name)));
listModels();
void start();
