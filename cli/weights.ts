/** Downloads, verifies and converts the weights of a preset, for the demo and the command line. */
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Option } from 'commander';
import { presetManifest } from '../src/model/preset-manifests';
import { PRESETS } from '../src/model/presets';
import type { WeightDtype } from '../src/numbers/dtypes';
import { newCommand, parsed } from './command';
import { Interrupted, runCommand, usageError } from './errors';
import { parseFilled } from './option-types';
import { DOWNLOADS, prepareModel } from './prepare';
import { ProgressDisplay } from './progress';
import { projectRoot } from './server';

const program = newCommand(
  'weights',
  'Downloads, verifies and converts the weights of a network trained on ImageNet.',
)
  .argument('[preset]', `one of ${PRESETS.join(', ')}`, 'vgg16')
  .addOption(
    new Option('--dtype <form>', 'f32, f16 (half the size) or int8 (a quarter)')
      .choices(['f32', 'f16', 'int8'])
      .default('f32'),
  )
  .option('--from <file-or-url>', 'where the weights are, if not where the preset says')
  .option('--out <folder>', 'where to write them; default: weights/PRESET or weights/PRESET-FORM')
  .option('--keep-download', 'keep the file as it was downloaded, too', false);

interface Options {
  readonly dtype: WeightDtype;
  readonly from?: string;
  readonly out?: string;
  readonly keepDownload: boolean;
}

async function weights(signal: AbortSignal): Promise<void> {
  const { dtype, from, out, keepDownload } = parsed<Options>(program);
  const preset = program.processedArgs[0] as string;
  const manifest = presetManifest(preset);
  if (!manifest) {
    throw usageError(`There is no preset "${preset}": there are ${PRESETS.join(', ')}.`);
  }
  parseFilled('--from', from, 'give the path or URL of the weights');
  parseFilled('--out', out, 'give a folder');
  const name = dtype === 'f32' ? preset : `${preset}-${dtype}`;
  const isDefault = out === undefined;
  const folder = isDefault ? join(projectRoot, 'weights', name) : resolve(out);
  const display = new ProgressDisplay();
  try {
    const prepared = await prepareModel({
      manifest,
      dtype,
      from,
      out: folder,
      keepDownload,
      signal,
      onStep: display.update.bind(display),
    });
    display.stop();
    const shown = relative(process.cwd(), prepared.manifest) || prepared.manifest;
    console.log(`${shown}: ${(prepared.bytes / 1e6).toFixed(0)} MB, SHA-256 ${prepared.sha256}`);
    console.log(
      `Use it with: npm run explain -- IMAGE --model ${isDefault ? name : dirname(shown)}`,
    );
  } catch (error) {
    if (!(error instanceof Interrupted) || !existsSync(join(folder, DOWNLOADS))) throw error;
    throw new Interrupted(
      error.signal,
      'Stopped: what was downloaded is kept, and the same command goes on with it.',
    );
  } finally {
    display.stop();
  }
}

await runCommand(weights);
