/** The demo page: an image in, a heat map out, all through the library's public API. */
import {
  createExplainer,
  type Explainer,
  type Explanation,
  type Progress,
  ScoreCamError,
} from '../src/index';

const MODEL = '../weights/scenes-vgg16/manifest.json';
const SAMPLE = '../weights/scenes-vgg16/sample.png';

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

let explainer: Promise<Explainer> | undefined;
let shown: Explanation | undefined;
let running: AbortController | undefined;

function say(text: string, isError = false): void {
  const status = element('status');
  status.textContent = text;
  status.classList.toggle('error', isError);
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function explain(error: unknown): string {
  if (!(error instanceof ScoreCamError)) return `Something went wrong: ${error}`;
  const { code, message } = error;
  return code === 'no-webgpu' || code === 'no-adapter'
    ? `This page computes with WebGPU, which is not available here. ${message}`
    : message;
}

/** Loads the network; after a failure the next call tries again. */
function load(): Promise<Explainer> {
  explainer ??= createExplainer({ model: MODEL, onProgress: showProgress }).catch((error) => {
    explainer = undefined;
    throw error;
  });
  return explainer;
}

async function start(): Promise<void> {
  try {
    const { model, adapter } = await load();
    const name = adapter.description || `${adapter.vendor} ${adapter.architecture}`;
    element('facts').textContent =
      `The network, ${model.name}, knows ${model.labels.length} things: ${model.labels.join(', ')}. ` +
      `It runs on ${name}${adapter.isFallback ? ', a software adapter, so give it some seconds' : ''}.`;
    say('Ready.');
  } catch (error) {
    file.disabled = true;
    sample.disabled = true;
    say(explain(error), true);
  }
}

function showProgress({ phase, done, total, secondsLeft }: Progress): void {
  const bar = element<HTMLProgressElement>('progress');
  bar.max = total;
  bar.value = done;
  const left = secondsLeft === undefined ? '' : `, about ${Math.ceil(secondsLeft)} s left`;
  element('passes').textContent =
    phase === 'masks' ? `${done} of ${total} passes${left}` : `Weights${left}`;
}

/** Explains an image. One that comes while another is at work takes its place. */
async function run(image: Blob): Promise<void> {
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
    await preview(image, loaded.model.input);
    signal.throwIfAborted();
    const onProgress = (progress: Progress): void => {
      if (running === controller) showProgress(progress);
    };
    const explanation = await loaded.explain(image, { signal, onProgress });
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
async function preview(
  image: Blob,
  { width, height, resize }: Explainer['model']['input'],
): Promise<void> {
  const bitmap = await createImageBitmap(image).catch(() => undefined);
  // Explaining it will say what is wrong with it.
  if (!bitmap) return;
  const fill = Math.max(width / bitmap.width, height / bitmap.height);
  const across = resize === 'cover' ? fill * bitmap.width : width;
  const down = resize === 'cover' ? fill * bitmap.height : height;
  canvas.width = width;
  canvas.height = height;
  canvas
    .getContext('2d')
    ?.drawImage(bitmap, (width - across) / 2, (height - down) / 2, across, down);
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
  const { evaluated, constant } = explanation.channels;
  canvas.setAttribute('aria-label', `The image with a heat map for ${label}`);
  say(
    explanation.map.flat
      ? `The map for ${label} is flat: no place counts more than another.`
      : `Here it looked for: ${label} (${percent(probability)}). ` +
          `${evaluated} passes, ${constant} constant channels skipped.`,
  );
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

void start();
