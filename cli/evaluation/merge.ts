/** Makes of all shards what one run would have made. */
import { CliError } from '../errors';
import { firstDifference, readSettings, type Settings } from '../kept-settings';
import { rejoined, type Shard } from '../shard';
import { type DrawGallery, writeResults } from './results';
import { readImages, shardFolder, shardsIn } from './shards';
import { type MethodSpec, parseSpecs } from './specs';
import { type Found, Kept } from './store';

/** What is told of shards that are missing, at most. */
const MOST_TOLD = 10;

/** What of a shard's settings the merging itself needs. */
type Needed = Settings & {
  readonly methods: readonly string[];
  readonly sanity: number;
  readonly pictures: number;
};

interface ReadShard {
  readonly shard: Shard;
  readonly images: readonly string[];
  readonly found: Kept;
}

/**
 * Writes the results of all shards in a folder; returns the table and the verdict.
 * @throws CliError naming the shards that are missing, unfinished, or have other settings
 */
export async function mergeShards(folder: string, drawGallery: DrawGallery): Promise<string> {
  const shards = allShards(folder);
  const settings = commonSettings(folder, shards);
  const specs = parseSpecs(settings.methods.join(','));
  const read = shards.map((shard) => {
    const own = shardFolder(folder, shard);
    return { shard, images: readImages(own), found: new Kept(own) };
  });
  const images = rejoined(read.map((one) => one.images));
  checkFinished(read, specs, new Set(images.slice(0, settings.sanity)));
  const { sanity, pictures } = settings;
  return writeResults(
    folder,
    { found: together(read), specs, images, sanity, pictures },
    drawGallery,
  );
}

/** Each of the number that they say they are, first to last. */
function allShards(folder: string): Shard[] {
  const present = shardsIn(folder);
  const [of, ...others] = new Set(present.map((shard) => shard.of));
  if (of === undefined) {
    throw new CliError(
      `${folder} has no shards: run each with --out ${folder} and --shard 1/16, 2/16 and so on before.`,
    );
  }
  if (others.length > 0) {
    throw new CliError(
      `${folder} has shards of ${[of, ...others].join(' and of ')}: take the folders of one of these divisions away.`,
    );
  }
  const all = Array.from({ length: of }, (_, i) => ({ number: i + 1, of }));
  const missing = all.filter((one) => !present.some(({ number }) => number === one.number));
  if (missing.length > 0) {
    throw new CliError(
      `${folder} lacks ${listed(missing)}: run what is missing, with the same settings.`,
    );
  }
  return all;
}

function commonSettings(folder: string, shards: readonly Shard[]): Needed {
  const [first, ...others] = shards.map((shard) => {
    const { shard: _, ...settings } = readSettings(shardFolder(folder, shard));
    return settings;
  }) as [Needed, ...Settings[]];
  for (const [i, other] of others.entries()) {
    const difference = firstDifference(first, other);
    if (difference === undefined) continue;
    throw new CliError(
      `The shards have different settings: ${difference} in shard ${i + 2}/${shards.length}, unlike in the first. ` +
        'Run one of them again, with --restart.',
    );
  }
  return first;
}

function checkFinished(
  read: readonly ReadShard[],
  specs: readonly MethodSpec[],
  randomised: ReadonlySet<string>,
): void {
  const unfinished = read.filter(({ images, found }) =>
    images.some(
      (image) =>
        specs.some(({ name }) => !found.has(image, name)) ||
        (randomised.has(image) && !found.sanity.has(image)),
    ),
  );
  if (unfinished.length === 0) return;
  throw new CliError(
    `Not finished: ${listed(unfinished.map(({ shard }) => shard))}. Run the same command again, and it goes on.`,
  );
}

function listed(shards: readonly Shard[]): string {
  const told = shards.slice(0, MOST_TOLD).map(({ number, of }) => `${number}/${of}`);
  const more = shards.length - told.length;
  return `shard${shards.length > 1 ? 's' : ''} ${told.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function together(read: readonly ReadShard[]): Found {
  const runs = new Map(
    read.flatMap(({ found }) => found.runs.map((run) => [JSON.stringify(run), run] as const)),
  );
  return {
    rows: read.flatMap(({ found }) => found.rows),
    sanity: new Map(read.flatMap(({ found }) => [...found.sanity])),
    runs: [...runs.values()],
    picture: (row) =>
      read.find(({ found }) => found.has(row.image, row.method))?.found.picture(row),
  };
}
