import type { Explainer } from '../../src/index';
import { sharedF32, sharedJson } from './shared';

/** ROAD of pytorch-grad-cam, at these percentiles. */
const PERCENTILES = [20, 40, 60, 80];

interface RoadGolden {
  readonly road: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviations by which a draw may miss the mean of ours; of a dozen seeds, one in 2,500 does (Student's t). */
const DEVIATIONS = 5;

/**
 * ROAD of golden maps, named as in more.json ("gradcam/7"), against its golden values. Those are of one draw of PyTorch's noise:
 * of one seed each may be `allowed` off; of several the golden one has to pass for one more draw, by their mean and spread, which
 * is said, with a thousandth for what rounding does.
 */
export async function checkRoad(
  explainer: Explainer,
  image: ImageData,
  golden: { readonly url: string; readonly folder: string; readonly allowed: number },
  names: readonly string[],
  seeds: number,
): Promise<string> {
  const { url, folder, allowed } = golden;
  const expected = (await sharedJson<RoadGolden>(url, `${folder}more.json`)).road;
  const { width, height } = explainer.model.input;
  const classes = await explainer.classify(image);
  const notes: string[] = [];
  for (const name of names) {
    const [kind, index] = name.split('/') as [string, string];
    const data = await sharedF32(url, `${folder}class${index}-${kind}-pgc.f32`);
    const own = classes.find((one) => one.index === Number(index));
    if (!own) throw new Error(`class ${index} is not among the likeliest`);
    const subject = { map: { width, height, data, flat: false }, class: own, image };
    const runs: Record<string, number>[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      const { road } = await explainer.measure(subject, { metrics: ['road'], seed });
      if (!road) throw new Error(`${name} has no ROAD`);
      if (road.percentiles.join() !== PERCENTILES.join()) throw new Error(`${road.percentiles}`);
      runs.push({
        ...Object.fromEntries(
          PERCENTILES.flatMap((percentile, i) => [
            [`most${percentile}`, road.mostRelevantFirst[i] as number],
            [`least${percentile}`, road.leastRelevantFirst[i] as number],
          ]),
        ),
        combined: road.combined,
      });
    }
    let [furthest, widest] = [0, 0];
    for (const [key, value] of Object.entries(expected[name] ?? {})) {
      const own = runs.map((run) => run[key] as number);
      const mean = meanOf(own);
      const squares = own.map((one) => (one - mean) ** 2);
      const sd = Math.sqrt((meanOf(squares) * seeds) / Math.max(1, seeds - 1));
      const spread = DEVIATIONS * sd * Math.sqrt(1 + 1 / seeds) + 0.001;
      furthest = Math.max(furthest, Math.abs(mean - value));
      widest = Math.max(widest, sd);
      if (seeds > 1) {
        notes.push(
          `${name} ${key}: ${mean.toFixed(4)} (sd ${sd.toFixed(4)}), golden ${value.toFixed(4)}`,
        );
      }
      if (!(Math.abs(mean - value) <= (seeds > 1 ? spread : allowed))) {
        throw new Error(`${name}: ${key} is ${mean}, golden ${value}; ${notes.join('; ')}`);
      }
    }
    notes.push(`${name}: at most ${furthest.toFixed(4)} off, sd at most ${widest.toFixed(4)}`);
  }
  return notes.join('; ');
}
