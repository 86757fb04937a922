/// Runs in headless Chrome: the image that is evaluated, and the classes that are asked of it.
import { placementOf } from '../../src/explain/image';
import { type Box, type Explainer, type Explanation, ScoreCamError } from '../../src/index';
import { drawScene } from '../../weights/scenes';
import { bytesOf } from '../base64';
import { imageOf } from '../scene-image';
import type { Asked, Subject } from './types';

export interface Taken {
  readonly name: string;
  readonly image: ImageData | Blob;
  readonly asked: readonly Asked[];
  /** Score-CAM's explanations, whose masked scores serve another weighting too. */
  scored?: readonly Explanation[];
}

let taken: Taken | undefined;

/** The image taken last. */
export function takenSubject(): Taken {
  if (!taken) throw new Error('takeSubject() comes first');
  return taken;
}

export async function takeSubject(explainer: Explainer, subject: Subject): Promise<string> {
  taken =
    subject.kind === 'scene' ? takeScene(explainer, subject) : await takeFile(explainer, subject);
  return taken.name;
}

function takeScene(
  { model }: Explainer,
  { seed, objects = 2 }: Extract<Subject, { kind: 'scene' }>,
): Taken {
  const scene = drawScene({ seed, objects, size: model.input.width });
  return {
    name: `scene ${seed}`,
    image: imageOf(scene),
    asked: askedOf(scene.objects, model.labels),
  };
}

async function takeFile(
  explainer: Explainer,
  { name, base64, objects }: Extract<Subject, { kind: 'file' }>,
): Promise<Taken> {
  const image = new File([bytesOf(base64)], name);
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
  const { scaleX, scaleY, left, top } = placementOf(image, input);
  const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  const x = clamp(box.x * scaleX + left, input.width);
  const y = clamp(box.y * scaleY + top, input.height);
  return {
    x,
    y,
    width: clamp((box.x + box.width) * scaleX + left, input.width) - x,
    height: clamp((box.y + box.height) * scaleY + top, input.height) - y,
  };
}
