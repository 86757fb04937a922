import { ScoreCamError } from '../../errors';
import type { ByteSource } from '../bytes/byte-source';

/* What a file is that holds no weights that are read here. Loaded when such a file comes. */

const SUPPORTED =
  'Give a .safetensors file (or its model.safetensors.index.json), a .pth file of PyTorch or a ' +
  "TensorFlow.js model's model.json.";

/** First bytes of files that are taken for weights, what they are, and what to do. */
const OTHERS: readonly (readonly [start: string, what: string, remedy: string])[] = [
  [
    '<',
    'an HTML or XML page, not weights',
    'The server answered with a page: check the address, or whether it needs a login.',
  ],
  [
    'version https://git-lfs',
    'a git-lfs pointer, not the file it stands for',
    'Fetch the file itself: git lfs pull, or the download link of its page.',
  ],
  [
    '\x89HDF',
    'a Keras HDF5 file (.h5)',
    'Convert it: tensorflowjs_converter --input_format keras model.h5 folder, and give folder/model.json.',
  ],
  ['\x93NUMPY', 'a NumPy array', SUPPORTED],
  ['\x1f\x8b', 'compressed with gzip', 'Unpack it first.'],
  ['GGUF', 'a GGUF file', SUPPORTED],
];

/**
 * @param text its first bytes, as characters of the same number
 * @param visible the same without white space at its beginning
 * @throws ScoreCamError `weights` always: what the file looks like, and what to give instead
 */
export function refuse(file: ByteSource, text: string, visible: string): never {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${file.name} ${message}`);
  };
  if (file.size === 0) fail(`is empty. Download it again. ${SUPPORTED}`);
  for (const [start, what, remedy] of OTHERS) {
    if (visible.startsWith(start)) fail(`is ${what}. ${remedy}`);
  }
  if (text.slice(257, 262) === 'ustar') fail('is a tar archive. Unpack it first.');
  const hex = Array.from(text.slice(0, 8), (byte) =>
    byte.charCodeAt(0).toString(16).padStart(2, '0'),
  );
  return fail(`is of no known format (it starts with ${hex.join(' ')}). ${SUPPORTED}`);
}

/** @throws ScoreCamError `weights` always */
export function refuseJson(file: ByteSource, json: Readonly<Record<string, unknown>>): never {
  const isManifest = typeof json.format === 'string' && json.format.startsWith('score-cam-webgpu');
  throw new ScoreCamError(
    'weights',
    `${file.name} is JSON, but neither an index of safetensors files ("weight_map") nor a ` +
      `TensorFlow.js model ("weightsManifest")${isManifest ? ': it is a model manifest' : ''}. ` +
      `${isManifest ? 'Give it as the model, not as the weights.' : SUPPORTED}`,
  );
}
