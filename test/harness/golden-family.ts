import { runForward } from '../../src/explain/forward';
import { normalise, prepareImage } from '../../src/explain/image';
import { choose } from '../../src/explain/methods/choose';
import type { MethodOptions } from '../../src/explain/methods/method-options';
import { METHODS, type Method } from '../../src/explain/methods/registry';
import { saliencyMap } from '../../src/explain/saliency';
import { Arena } from '../../src/gpu/arena';
import type { Manifest } from '../../src/model/manifest';
import { IMAGE } from '../../src/model/network';
import { FinishedScores } from '../../src/runtime/finished';
import { layersToKeep } from '../../src/runtime/layers-to-keep';
import type { Runner } from '../../src/runtime/runner';
import { assertClose } from './compare';
import { sharedF32 } from './shared';

/** The methods of which pytorch-grad-cam's maps are there, by the name of their files. */
export const GOLDEN_FAMILY = {
  gradcampp: { method: 'grad-cam++' },
  hirescam: { method: 'hires-cam' },
  layercam: { method: 'layer-cam' },
  xgradcam: { method: 'xgrad-cam' },
  elementwise: { method: 'grad-cam-elementwise' },
  shapleycam: { method: 'shapley-cam' },
  refinecam: { method: 'refine-cam' },
  eigengradcam: { method: 'eigen-grad-cam' },
  eigencam: { method: 'eigen-cam' },
  kpcacam: { method: 'kpca-cam' },
  fem: { method: 'fem' },
  finercam: { method: 'grad-cam', contrast: 1, rivalWeights: 'probability' },
  fullgrad: { method: 'full-grad' },
  ablationcam: { method: 'ablation-cam' },
} as const satisfies Readonly<Record<string, MethodOptions & { readonly method: Method }>>;

export type GoldenName = keyof typeof GOLDEN_FAMILY;

/**
 * FullGrad's way back passes every kink of the network, thousands of maxima among them, and at some of them the golden f32 run
 * took another branch than f64 does (full_grad.ts on Tiny Darknet is 1e-6 from ours, and 5e-3 from the golden map in one patch of
 * 40 pixels): so a few pixels may differ by more.
 */
function assertButForKinks(what: string, map: Float32Array, expected: Float32Array): string {
  const far = map.filter((value, i) => Math.abs(value - (expected[i] as number)) > ALLOWED).length;
  if (far > map.length / 500)
    throw new Error(`${what}: ${far} pixels differ by more than ${ALLOWED}`);
  return `${assertClose(what, map, expected, 5 * ALLOWED)}, ${far} pixels above ${ALLOWED}`;
}

/** Those whose map is a principal component, which has a sign of its own in every library. */
const SIGNLESS: ReadonlySet<string> = new Set(['eigencam', 'eigengradcam', 'kpcacam']);

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);

/** The library's tolerance for maps of other libraries. */
const ALLOWED = 2e-3;

/** One forward pass for all methods, and every class's map of each against the golden one. */
export async function checkFamily(
  runner: Runner,
  manifest: Manifest,
  image: ImageData,
  golden: { readonly url: string; readonly folder: string; readonly classes: readonly number[] },
  names: readonly GoldenName[],
): Promise<string> {
  const { gpu, network, plan } = runner;
  const arena = new Arena(gpu);
  const pixels = await prepareImage(image, manifest.input);
  const layers = [network.targetLayer];
  const notes: string[] = [];
  try {
    const forward = await runForward(
      runner,
      arena.upload('image', normalise(pixels, manifest)),
      arena,
      {
        layers,
        keep: layersToKeep(plan, names.includes('fullgrad') ? [IMAGE] : layers),
        alignCorners: false,
        ownRanges: false,
      },
    );
    for (const name of names) {
      const options = GOLDEN_FAMILY[name];
      const choice = await choose(options, network);
      const finished = new FinishedScores();
      const run = await METHODS[choice.method].load();
      const common = { choice, finished, memoryBudget: 2 ** 28, pixels, manifest };
      const evidence = await run(forward, common);
      for (const index of golden.classes) {
        const [own] = await evidence.ofClass(index, finished);
        if (!own) throw new Error(`${name} has no layer`);
        const { height, width } = network.input;
        const shown = async (sign: 1 | -1) => {
          const alpha = own.alpha.map((value) => sign * value);
          return (await saliencyMap(gpu, own.maps, alpha, height, width, evidence.rule)).data;
        };
        const path = `${golden.folder}class${index}-${name}-pgc.f32`;
        const expected = await sharedF32(golden.url, path);
        const map = await shown(1);
        const isOther = SIGNLESS.has(name) && largestDifference(map, expected) > 0.5;
        const signed = isOther ? await shown(-1) : map;
        const what = `${name} ${index}${isOther ? ', the other sign' : ''}`;
        notes.push(
          name === 'fullgrad'
            ? assertButForKinks(what, signed, expected)
            : assertClose(what, signed, expected, ALLOWED),
        );
      }
    }
  } finally {
    arena.dispose();
  }
  return notes.join('; ');
}
