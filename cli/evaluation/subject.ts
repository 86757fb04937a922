/// Runs in headless Chrome: the image that is evaluated, and the classes that are asked of it.
import { placementOf } from '../../src/explain/image';
import {
  type Box,
  type ClassScore,
  type Explainer,
  type Explanation,
  ScoreCamError,
} from '../../src/index';
import { drawScene } from '../../weights/scenes';
import type { Annotated } from '../annotations/types';
import { bytesOf } from '../base64';
import { imageOf } from '../scene-image';
import { sceneName } from './scene-name';
import type { Asked, Subject } from './types';

type Of<Kind extends Subject['kind']> = Extract<Subject, { kind: Kind }>;

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

/** Returns how many of its boxes lie where the network does not look, and are left out. */
export async function takeSubject(explainer: Explainer, subject: Subject): Promise<number> {
  if (subject.kind === 'scene') {
    taken = takeScene(explainer, subject);
    return 0;
  }
  const { image, scaled } = await takeFile(explainer, subject);
  const { name, objects } = subject;
  const asked =
    scaled.length > 0
      ? askedOf(scaled, explainer.model.labels)
      : [{ ...(await likeliest(explainer, image)), otherBoxes: [] }];
  taken = { name, image, asked };
  return objects.length - scaled.length;
}

function takeScene({ model }: Explainer, { seed, objects = 2 }: Of<'scene'>): Taken {
  const scene = drawScene({ seed, objects, size: model.input.width });
  return {
    name: sceneName(seed),
    image: imageOf(scene),
    asked: askedOf(scene.objects, model.labels),
  };
}

/** The image, and those of its objects that the network sees a part of, where it sees them. */
async function takeFile(
  { model: { input } }: Explainer,
  { name, base64, objects }: Of<'file'>,
): Promise<{ readonly image: Blob; readonly scaled: readonly Annotated[] }> {
  const image = new File([bytesOf(base64)], name);
  if (objects.length === 0) return { image, scaled: [] };
  const bitmap = await createImageBitmap(image);
  const { width, height } = bitmap;
  bitmap.close();
  const scaled = objects.flatMap(({ label, box }) => {
    if (box.x >= width || box.y >= height || box.x + box.width <= 0 || box.y + box.height <= 0) {
      throw new ScoreCamError(
        'option',
        `${name}: the box of "${label}" (${Object.values(box).join(', ')}) lies outside of this ${width}x${height} ` +
          'image: give [x, y, width, height] in pixels of the file.',
      );
    }
    const inside = scaleBox(box, { width, height }, input);
    return inside.width > 0 && inside.height > 0 ? [{ label, box: inside }] : [];
  });
  return { image, scaled };
}

async function likeliest(
  explainer: Explainer,
  image: Blob,
): Promise<Pick<Asked, 'index' | 'label'>> {
  const [first] = await explainer.classify(image);
  const { index, label } = first as ClassScore;
  return { index, label };
}

/** Each object's class once; a class with several objects has the first one's box, and the rest are others'. */
function askedOf(objects: readonly Annotated[], labels: readonly string[]): Asked[] {
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
