import { ScoreCamError } from '../../errors';
import type { ByteSource, OpenSibling } from '../bytes/byte-source';
import type { WeightSource } from '../weight-source';
import { withHead } from './head';
import { readJson } from './json';
import { openSafetensors } from './safetensors';

/** Enough to recognise any format, tar archives' name at byte 257 the last. */
const HEAD = 512;

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
 * Opens a weights file of any format that is read here. The format is recognised by the file's first
 * bytes, never by its name. What reads formats other than safetensors is fetched when such a file comes.
 * @param sibling Opens the files beside it that an index names; never called for a single file.
 * @throws ScoreCamError `weights` naming file, byte or tensor and expectation, or what the file looks
 * like and what to give instead.
 */
export async function openWeights(file: ByteSource, sibling: OpenSibling): Promise<WeightSource> {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${file.name} ${message}`);
  };
  if (file.size === 0) fail(`is empty. Download it again. ${SUPPORTED}`);
  const head = await file.read(0, Math.min(HEAD, file.size));
  const whole = withHead(file, head);
  // Bytes as characters of the same number: for comparing, whatever their encoding is.
  const text = String.fromCharCode(...head);
  if (isSafetensors(head)) return openSafetensors(whole);
  if (text.startsWith('PK\x03\x04')) return (await import('./torch')).openTorchZip(whole);
  if (isPickle(head)) return (await import('./torch')).openTorchLegacy(whole);
  const visible = text.replace(/^(?:\xef\xbb\xbf)?\s*/, '');
  if (visible.startsWith('{')) return openJson(whole, sibling);
  for (const [start, what, remedy] of OTHERS) {
    if (visible.startsWith(start)) fail(`is ${what}. ${remedy}`);
  }
  if (text.slice(257, 262) === 'ustar') fail('is a tar archive. Unpack it first.');
  const hex = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0'));
  return fail(`is of no known format (it starts with ${hex.join(' ')}). ${SUPPORTED}`);
}

/** A pickle of protocol 2 to 5; torch.save's starts with a magic number as the first of several. */
function isPickle(head: Uint8Array): boolean {
  const [opcode, protocol = 0] = head;
  return opcode === 0x80 && protocol >= 2 && protocol <= 5;
}

/** A 64-bit length that some file could have, then a JSON object. */
function isSafetensors(head: Uint8Array): boolean {
  return head[5] === 0 && head[6] === 0 && head[7] === 0 && head[8] === 0x7b;
}

async function openJson(file: ByteSource, sibling: OpenSibling): Promise<WeightSource> {
  const json = await readJson(file);
  if ('weightsManifest' in json) {
    return (await import('./tfjs')).openTfjs(file.name, json, sibling);
  }
  if ('weight_map' in json) {
    return (await import('./safetensors-index')).openSafetensorsIndex(file.name, json, sibling);
  }
  const isManifest = typeof json.format === 'string' && json.format.startsWith('score-cam-webgpu');
  throw new ScoreCamError(
    'weights',
    `${file.name} is JSON, but neither an index of safetensors files ("weight_map") nor a ` +
      `TensorFlow.js model ("weightsManifest")${isManifest ? ': it is a model manifest' : ''}. ` +
      `${isManifest ? 'Give it as the model, not as the weights.' : SUPPORTED}`,
  );
}
