import { ScoreCamError } from '../errors';
import {
  type Attempt,
  attempt,
  exactFinder,
  type LayerNames,
  matchOf,
  type TensorMatch,
} from './naming';
import { isWeighted, type Network, type WeightedLayer } from './network';
import type { GraphTensors } from './tensors';
import { fileDepth, VGG_NAMINGS, vggDepth, vggPlaces } from './vgg-names';
import type { WeightSource } from './weight-source';

/**
 * What a file's tensors are where the manifest's own names do not fit: loaded only then.
 * @param own what came of those names
 * @throws ScoreCamError `weights`, see `matchTensors`
 */
export async function matchOthers(
  network: Network,
  source: WeightSource,
  own: Attempt,
): Promise<TensorMatch> {
  const exact = exactFinder(source);
  const attempts = [own];
  const layers = network.layers.filter(isWeighted);
  if (layers.some(({ reads }) => reads)) {
    // Its own names are those of the kept form; people have the tensors that it reads.
    attempts[0] = { ...own, naming: 'the kept form' };
    const { RENAMINGS } = await import('./architectures/renamings');
    for (const { naming, rename } of [{ naming: 'manifest', rename: asIs }, ...RENAMINGS]) {
      const names = layers.map((layer) => renamed(layer, rename));
      attempts.push(attempt(network, source, naming, 'torch', names, exact));
    }
    const isFolded = layers.some(({ type, reads }) => type === 'linear' && reads?.batchNorm);
    if (!isFolded) {
      const names = layers.map((layer) => renamed(layer, asIs));
      attempts.push(
        attempt(network, source, 'manifest in Keras', 'keras', names, kerasFinder(source)),
      );
    }
  }
  const depth = vggDepth(network.layers);
  for (const naming of depth ? VGG_NAMINGS : []) {
    const find = naming.layout === 'keras' ? kerasFinder(source) : exact;
    const names = vggPlaces(depth as NonNullable<typeof depth>).map((place) => naming.names(place));
    const tried = attempt(network, source, naming.name, naming.layout, names, find);
    attempts.push({ ...tried, depth: fileDepth(naming, (name) => find(name).length > 0) });
  }
  const match = attempts.find(
    (tried) => tried.problems.length === 0 && (!tried.depth || tried.depth === depth),
  );
  if (match) return matchOf(match);
  throw new ScoreCamError('weights', explain(network, source, attempts, depth));
}

const asIs = (name: string): string => name;

/** What a layer reads, under other names. */
function renamed(layer: WeightedLayer, rename: (name: string) => string): LayerNames {
  const { weight, bias, batchNorm }: GraphTensors = layer.reads ?? layer;
  return {
    weight: weight && rename(weight),
    bias: bias && rename(bias),
    ...(batchNorm
      ? {
          batchNorm: {
            scale: rename(batchNorm.scale),
            shift: rename(batchNorm.shift),
            mean: rename(batchNorm.mean),
            variance: rename(batchNorm.variance),
            epsilon: batchNorm.epsilon,
          },
        }
      : {}),
  };
}

/**
 * Keras' names, `block1_conv1/kernel`, with whatever converters put round them: the model's name before
 * (`vgg16/`), TensorFlow's output number behind (`:0`).
 */
function kerasFinder(source: WeightSource): (name: string) => readonly string[] {
  const byEnding = new Map<string, string[]>();
  for (const name of source.tensors.keys()) {
    const ending = name.replace(/:0$/, '').split('/').slice(-2).join('/');
    const known = byEnding.get(ending);
    if (known) known.push(name);
    else byEnding.set(ending, [name]);
  }
  return (name) => byEnding.get(name) ?? [];
}

function explain(
  network: Network,
  source: WeightSource,
  attempts: readonly Attempt[],
  depth: number | undefined,
): string {
  const closest = attempts.reduce((best, next) => (next.found > best.found ? next : best));
  const start = `${source.name} does not fit the model "${network.name}"`;
  if (closest.found === 0) {
    const names = [...source.tensors.keys()];
    const tried = attempts.map(({ naming }) => naming).join(', ');
    return (
      `${start}: no tensor of it has a name that is known (tried: ${tried}). It holds ` +
      `${names.slice(0, 4).join(', ') || 'no tensors'}${names.length > 4 ? ', ...' : ''}. ` +
      'Give the weights of this model, or rename the tensors as its manifest calls them.'
    );
  }
  const { naming, found, needed, problems, lastWeight, layout } = closest;
  const [first, ...others] = problems;
  const wrong = first
    ? `: ${first}${others.length > 0 ? ` (and ${others.length} more)` : ''}.`
    : ', but it holds more.';
  const hints: string[] = [];
  const held = attempts.find((tried) => tried.depth)?.depth;
  if (held && depth && held !== depth) {
    hints.push(`The file looks like VGG-${held}, the model is VGG-${depth}.`);
  } else if (!closest.foundHead && depth) {
    hints.push('The file has no fully connected layers: was it saved with include_top=False?');
  } else {
    const shape = (lastWeight && source.tensors.get(lastWeight)?.shape) || [];
    const classes = layout === 'torch' ? shape[0] : shape.at(-1);
    const isLast = lastWeight === [...closest.layers.values()].at(-1)?.weight;
    if (isLast && classes !== undefined && classes !== network.labels.length) {
      hints.push(
        `The file has a classifier of ${classes} classes, the model has ${network.labels.length}.`,
      );
    }
  }
  return [
    `${start}. Closest are the names of ${naming} (${found} of ${needed} tensors found)${wrong}`,
    ...hints,
  ].join(' ');
}
