// Not by src/index.ts: Node reads this, too, and no shaders.
import { METHODS, type Method } from '../../../src/explain/methods/registry';
import type { ColourMapName } from '../../../src/kernels/maps/colour_maps';

const colourMaps: Readonly<Record<ColourMapName, string>> = {
  turbo: 'Turbo',
  viridis: 'Viridis',
  jet: 'Jet',
  grey: 'Grey',
};

const plural = (count: number, one: string, many: string): string =>
  count === 1 ? `1 ${one}` : `${count} ${many}`;

export default {
  heading: 'Where did the network look?',
  lead:
    'Score-CAM hides all of an image but what one channel of the network saw, asks the network again, and does so ' +
    'for every channel. It all happens on your own GPU: no image leaves this page.',

  image: 'Image',
  hint: 'Drop or paste an image here',
  choose: 'Choose an image',
  photograph: 'Take a photograph',
  camera: 'Live camera',
  cameraStop: 'Stop the camera',
  still: 'Explain this moment',
  sample: 'Use the sample',
  low: 'counts little',
  high: 'counts much',
  opacity: 'Heat map over image',
  colours: 'Colours',
  colourMaps,
  copyLink: 'Copy a link to these settings',
  copied: 'Copied.',

  noImage: 'No image yet',
  notYet: 'The image, not yet explained',
  captionFirst: (label: string, done: number, total: number) =>
    `The image with a first heat map for ${label}, from ${done} of ${total} passes`,
  caption: (label: string) => `The image with a heat map for ${label}`,
  captionLive: (label: string) => `The camera's image with a heat map for ${label}`,

  controls: 'Controls',
  loading: (name: string) => `Loading ${name} ...`,
  looking: 'Looking ...',
  ready: 'Ready.',
  cancel: 'Cancel',
  cancelled: 'Cancelled.',
  again: 'Try again',
  first: (label: string) => `A first map for ${label} is there; it gets clearer ...`,
  here: (label: string, share: string, cost: string) =>
    `Here it looked for: ${label} (${share}). ${cost}.`,
  flat: (label: string) => `The map for ${label} is flat: no place counts more than another.`,
  costScoreCam: (evaluated: number, constant: number) =>
    `${evaluated} passes, ${constant} constant channels skipped`,
  cost: (forward: number, backward: number, head: number) => {
    const parts = [
      ...(forward > 0 ? [`${forward} forward`] : []),
      ...(backward > 0 ? [`${backward} backward`] : []),
      ...(head > 0 ? [`${head} through the last layers`] : []),
    ];
    return parts.length > 0 ? `Passes: ${parts.join(', ')}` : 'No pass was run again';
  },
  progress: 'Progress',
  passes: (done: number, total: number, left: string) => `${done} of ${total} passes${left}`,
  measurements: (done: number, total: number, left: string) =>
    `${done} of ${total} measurements${left}`,
  weightsSoFar: (done: string, total: string, rate: string, left: string) =>
    `Weights: ${done} of ${total}, ${rate} a second${left}`,
  left: (time: string) => `, about ${time} left`,
  seconds: (count: number) => `${count} s`,
  minutes: (count: number) => `${count} min`,

  cameraOn: (method: string) => `The camera is explained frame by frame, by ${method}.`,
  cameraOff: 'The camera is off.',
  cameraHidden: 'The camera is off: this page was hidden.',
  cameraRefused: (why: string) =>
    `There is no camera to look through: ${why} Allow it in the browser, or choose an image.`,
  rate: (perSecond: string, method: string) => `${perSecond} images a second, ${method}`,

  doubtEven: (share: string, count: number) =>
    `The network has no answer: its likeliest class gets ${share}, and all ${count} get about as much. What the map ` +
    'shows means little.',
  doubtDrawings:
    'This network has only ever seen drawn shapes. Of a photograph it says one of its shapes all the same.',
  offer: (name: string, size: string) => `Load ${name} (${size}), which knows photographs`,
  wanted: (name: string, size: string) =>
    `This link is about the network ${name}, which is a download of ${size}.`,
  load: 'Load',
  loadNamed: (name: string, size: string) => `Load ${name} (${size})`,

  classes: 'Show where it looked for',
  how: 'How it is explained',
  method: 'Method',
  layer: 'Layer',
  layerUsual: (name: string) => `${name}, the usual one`,
  layerNamed: (name: string, channels: number, width: number, height: number) =>
    `${name}: ${channels} maps of ${width} x ${height}`,
  summaryOf: (method: Method): string => METHODS[method].summary,
  price: (summary: string, forward: number, backward: number, head: number) => {
    const parts = [
      forward === 1 ? '1 pass' : `up to ${forward} passes`,
      ...(backward > 0 ? [`and ${backward} back`] : []),
      ...(head > 0 ? [`and the last layers alone ${plural(head, 'time', 'times')}`] : []),
    ];
    return `${summary}: ${parts.join(', ')}.`;
  },

  facts: (name: string, count: number, known: string, size: string, dtype: string) =>
    `The network, ${name}, knows ${count} things: ${known}. Its weights take ${size} as ${dtype}`,
  andSoOn: ' and so on',
  kept: ', kept from an earlier visit',
  runsOn: (adapter: string) => `It runs on ${adapter}.`,
  runsSlowly: (adapter: string) => `It runs on ${adapter}, so give it some time.`,
  notKept: (why: string) => `Its weights could not be kept here: ${why}.`,

  network: 'Another network',
  networkLabel: 'Network',
  dtype: 'Kept as',
  dtypes: {
    f16: 'f16: half the size',
    int8: 'int8: a quarter of the size',
    f32: 'f32: as trained',
  },
  builtIn: 'Scenes: drawn shapes, built in',
  photographs: (name: string, count: number, size: string) =>
    `${name}: photographs, ${count} classes, ${size}`,
  weights: 'Weights from your disk',
  noteBuiltIn: 'A small network of this project; it is here already.',
  noteFiles: 'Choose model.json and all its shards together, as tensorflowjs_converter wrote them.',
  noteDownload: (size: string) =>
    `A download of about ${size}, which this browser then keeps in the form chosen. From your disk: a file of the ` +
    'same network, such as safetensors or .pth of torchvision or timm.',
  storage: (size: string) => `This site keeps ${size} in this browser.`,
  remove: 'Remove it',
  removed: 'Nothing is kept any more. What is loaded stays until the page is closed.',

  beside: 'Methods side by side',
  besideLead: 'The same image and class, explained by each method that you tick.',
  besideWaits: 'in turn ...',
  besideDone: (share: string) => `took ${share}`,

  errorNoWebgpu: 'This page computes with WebGPU, which is not available here.',
  errorOther: 'Something went wrong:',
  /** What is in front of a library's message, which is English; nothing in English. */
  errorLead: undefined as Readonly<Record<string, string>> | undefined,
  sampleMissing: 'The sample could not be fetched:',
};
