import type { ByteSource, OpenSibling } from '../bytes/byte-source';
import type { WeightSource } from '../weight-source';
import { withHead } from './head';
import { readJson } from './json';
import { openSafetensors } from './safetensors';

/** Enough to recognise any format, tar archives' name at byte 257 the last. */
const HEAD = 512;

/**
 * Opens a weights file of any format that is read here. The format is recognised by the file's first
 * bytes, never by its name. What reads formats other than safetensors is fetched when such a file comes.
 * @param sibling Opens the files beside it that an index names; never called for a single file.
 * @throws ScoreCamError `weights` naming file, byte or tensor and expectation, or what the file looks
 * like and what to give instead.
 */
export async function openWeights(file: ByteSource, sibling: OpenSibling): Promise<WeightSource> {
  const head = file.size > 0 ? await file.read(0, Math.min(HEAD, file.size)) : new Uint8Array(0);
  const whole = withHead(file, head);
  // Bytes as characters of the same number: for comparing, whatever their encoding is.
  const text = String.fromCharCode(...head);
  if (isSafetensors(head)) return openSafetensors(whole);
  if (text.startsWith('PK\x03\x04')) return (await import('./torch')).openTorchZip(whole);
  if (isPickle(head)) return (await import('./torch')).openTorchLegacy(whole);
  const visible = text.replace(/^(?:\xef\xbb\xbf)?\s*/, '');
  if (visible.startsWith('{')) return openJson(whole, sibling);
  return (await import('./unknown')).refuse(file, text, visible);
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
  return (await import('./unknown')).refuseJson(file, json);
}
