/**
 * Pascal VOC's annotations (Everingham et al. 2010, development kit, section 7): an XML file an image, with objects whose
 * `bndbox` counts pixels from 1, both ends included.
 */
import { parseXml, type XmlElement } from '@rgrove/parse-xml';
import { CliError } from '../errors';
import { counted } from '../words';
import type { Annotated, Annotations } from './types';

/**
 * Objects marked as difficult are left out, as VOC's own evaluation does.
 * @param files path and text of each
 * @throws CliError naming file, element and remedy
 */
export function vocAnnotations(
  files: Iterable<readonly [path: string, text: string]>,
): Annotations {
  const objects = new Map<string, Annotated[]>();
  let difficult = 0;
  for (const [path, text] of files) {
    const annotation = rootOf(path, text);
    const image = textOf(path, annotation, 'filename');
    const own = objects.get(image) ?? [];
    objects.set(image, own);
    for (const [i, object] of childrenOf(annotation, 'object').entries()) {
      const what = `${path}: object ${i + 1}`;
      const label = textOf(what, object, 'name');
      const box = boxOf(`${what} (${label})`, object);
      if (childrenOf(object, 'difficult')[0]?.text.trim() === '1') difficult++;
      else own.push({ label, box });
    }
  }
  const notes =
    difficult > 0 ? [`${counted(difficult, 'object')} marked as difficult left out`] : [];
  return { objects, ofWholeSet: true, notes };
}

function rootOf(path: string, text: string): XmlElement {
  let root: XmlElement | null;
  try {
    ({ root } = parseXml(text));
  } catch (error) {
    throw new CliError(`--boxes ${path} cannot be read as XML: ${(error as Error).message}`);
  }
  if (root?.name === 'annotation') return root;
  throw new CliError(
    `--boxes ${path}: its element is <${root?.name}>: give Pascal VOC's, <annotation> with <object>s.`,
  );
}

function boxOf(what: string, object: XmlElement): Annotated['box'] {
  const [bndbox] = childrenOf(object, 'bndbox');
  if (!bndbox) {
    throw new CliError(`--boxes ${what} has no <bndbox>: give it one, or take the object out.`);
  }
  const [left, top, right, bottom] = (['xmin', 'ymin', 'xmax', 'ymax'] as const).map((name) => {
    const text = textOf(what, bndbox, name);
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    throw new CliError(`--boxes ${what}: <${name}> is "${text}": give a number of pixels.`);
  }) as [number, number, number, number];
  if (right < left || bottom < top) {
    throw new CliError(
      `--boxes ${what}: its <bndbox> runs from ${left}, ${top} to ${right}, ${bottom}: <xmax> and <ymax> must not be ` +
        'below <xmin> and <ymin>.',
    );
  }
  // Files of other programs may count from 0.
  const [x, y] = [Math.max(0, left - 1), Math.max(0, top - 1)];
  return { x, y, width: right - x, height: bottom - y };
}

function childrenOf(parent: XmlElement, name: string): XmlElement[] {
  return parent.children.filter(
    (child): child is XmlElement => 'name' in child && child.name === name,
  );
}

function textOf(what: string, parent: XmlElement, name: string): string {
  const text = childrenOf(parent, name)[0]?.text.trim();
  if (text) return text;
  throw new CliError(
    `--boxes ${what} has no <${name}>${text === '' ? ' but an empty one' : ''}: give Pascal VOC's annotations.`,
  );
}
