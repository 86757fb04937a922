/** The demo page: an image in, a heat map out, all through the library's public API. */
import { percent } from '../cli/words';
import {
  adapterName,
  type Explainer,
  type Explanation,
  METHODS,
  type Method,
  PRESETS,
  ScoreCamError,
  type WeightDtype,
} from '../src/index';
import { element } from './element';
import { BUILT_IN, type Choice, openNetwork } from './network';
import { caption, preview, put, redraw } from './picture';
import { explain, megabytes, say, showProgress } from './status';

const SAMPLE = `../weights/${BUILT_IN}/sample.png`;

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

let chosen: Choice = { model: BUILT_IN, dtype: undefined };
let explainer: Promise<Explainer> | undefined;
let running: AbortController | undefined;
/** What is shown or being worked on; another method explains it anew. */
let image: Blob | undefined;

/** What the chosen method does and takes at the target layer. */
function noteMethod({ model: { layers, targetLayer } }: Explainer): void {
  const { summary, cost } = METHODS[method.value as Method];
  const layer = layers.find(({ name }) => name === targetLayer);
  const { channels = 0, height = 0, width = 0 } = layer ?? {};
  const { forward, backward, head } = cost({}, { channels, positions: height * width, classes: 1 });
  const price = [
    forward === 1 ? '1 pass' : `up to ${forward} passes`,
    ...(backward > 0 ? [`and ${backward} back`] : []),
    ...(head > 0 ? [`and the last layers alone ${head} times`] : []),
  ];
  element('method-note').textContent = `${summary}: ${price.join(', ')}.`;
}

/** Offers the methods that are defined for a network; the chosen one stays if it is among them. */
function listMethods(names: readonly Method[]): void {
  const { value } = method;
  method.replaceChildren(...names.map((name) => new Option(METHODS[name].title, name)));
  if (names.some((name) => name === value)) method.value = value;
}

/** Loads the chosen network; after a failure the next call tries again. */
function load(): Promise<Explainer> {
  explainer ??= openNetwork(chosen, showProgress)
    .then((opened) => {
      describe(opened);
      return opened;
    })
    .catch((error) => {
      explainer = undefined;
      throw error;
    });
  return explainer;
}

/** Says what went wrong. A lost device does not come back: the next image starts with a new one. */
function fail(error: unknown): void {
  if (error instanceof ScoreCamError && error.code === 'device-lost') explainer = undefined;
  say(explain(error), true);
}

async function start(): Promise<void> {
  try {
    await load();
    // An image that came in the meantime is at work.
    if (!running) say('Ready.');
  } catch (error) {
    // Without WebGPU there is no use in an image; after any other failure the next one tries again.
    const isHopeless = error instanceof ScoreCamError && /^no-/.test(error.code);
    file.disabled = isHopeless;
    sample.disabled = isHopeless;
    if (!running) fail(error);
  }
}

function describe(loadedNetwork: Explainer): void {
  const { model, adapter } = loadedNetwork;
  const { name, labels, weights: loaded } = model;
  listMethods(model.methods);
  noteMethod(loadedNetwork);
  const known =
    labels.length > 20 ? `${labels.slice(0, 6).join(', ')} and so on` : labels.join(', ');
  const kept = loaded.notKept ? ` Its weights could not be kept here: ${loaded.notKept}.` : '';
  element('facts').textContent =
    `The network, ${name}, knows ${labels.length} things: ${known}. Its weights take ` +
    `${megabytes(loaded.bytes)} as ${loaded.dtype}${loaded.fromCache ? ', kept from an earlier visit' : ''}. ` +
    `It runs on ${adapterName(adapter)}${adapter.isFallback ? ', so give it some time' : ''}.${kept}`;
}

/**
 * Does one thing at a time: stops what is under way, shows that the page is at work, and says what became of it.
 * What was stopped by something newer says nothing.
 */
async function work(text: string, task: (signal: AbortSignal) => Promise<void>): Promise<void> {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const { signal } = controller;
  element('working').hidden = false;
  element('passes').textContent = '';
  element<HTMLProgressElement>('progress').removeAttribute('value');
  say(text);
  try {
    await task(signal);
  } catch (error) {
    if (running !== controller) return;
    if (signal.aborted) say('Cancelled.');
    else fail(error);
  } finally {
    if (running === controller) {
      running = undefined;
      element('working').hidden = true;
    }
  }
}

/** Shows no map, and none of its classes. */
function clear(): void {
  void put(undefined);
  element('result').hidden = true;
}

/** Puts another network in the place of the one at work, which stays if that fails. */
function change(choice: Choice): Promise<void> {
  return work(`Loading ${choice.model} ...`, async (signal) => {
    const opened = await openNetwork(choice, showProgress, signal);
    const before = await explainer?.catch(() => undefined);
    chosen = choice;
    explainer = Promise.resolve(opened);
    clear();
    before?.dispose();
    file.disabled = false;
    sample.disabled = false;
    describe(opened);
    say('Ready.');
  });
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

/** Explains an image. One that comes while another is at work takes its place. */
function run(wanted: Blob): Promise<void> {
  image = wanted;
  clear();
  return work('Looking ...', async (signal) => {
    const loaded = await load();
    await preview(wanted, loaded.model.input);
    signal.throwIfAborted();
    const explanation = await loaded.explain(wanted, {
      method: method.value as Method,
      signal,
      onProgress: unlessAborted(signal, showProgress),
      onPreview: unlessAborted(signal, showPreview),
    });
    signal.throwIfAborted();
    listClasses(explanation);
    await show(explanation);
    element('result').hidden = false;
  });
}

/** Hears of nothing any more once the work is stopped. */
function unlessAborted<Event>(
  signal: AbortSignal,
  listener: (event: Event) => void,
): (event: Event) => void {
  return (event) => {
    if (!signal.aborted) listener(event);
  };
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
    fail(error);
  }
}

async function show(explanation: Explanation): Promise<void> {
  await put(explanation);
  const { label, index, probability } = explanation.class;
  for (const button of classes.querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(button.dataset.index === String(index)));
  }
  caption(`The image with a heat map for ${label}`);
  say(
    explanation.map.flat
      ? `The map for ${label} is flat: no place counts more than another.`
      : `Here it looked for: ${label} (${percent(probability)}). ${costOf(explanation)}.`,
  );
}

/** What the passes so far say; the most telling maps come first, so it soon looks like the end. */
function showPreview(soFar: Explanation): void {
  put(soFar).catch(fail);
  const { label } = soFar.class;
  const { evaluated, total, constant } = soFar.channels;
  const passes = `${evaluated} of ${total - constant} passes`;
  caption(`The image with a first heat map for ${label}, from ${passes}`);
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
opacity.addEventListener('input', () => void redraw().catch(fail));

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
  // That a network does not load has been said.
  void explainer?.then(noteMethod, () => {});
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

listMethods(Object.keys(METHODS) as Method[]);
listModels();
void start();
