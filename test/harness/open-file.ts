/// Opens a weights file, or with `model` in front a model, and prints what comes of it: in a process of its own, for its memory.
import { readFileSync } from 'node:fs';
import { ScoreCamError } from '../../src/errors';
import { memorySource } from '../../src/model/bytes/byte-source';
import { openWeights } from '../../src/model/formats/open';
import { locateModel } from '../../src/model/model';

const [path = '', address] = process.argv.slice(2);
try {
  if (address !== undefined) await locateModel(address, { retryDelays: [] });
  else {
    const file = memorySource('file.bin', new Uint8Array(readFileSync(path)));
    await openWeights(file, () => Promise.reject(new Error('a single file has no siblings')));
  }
  console.log('opened');
} catch (error) {
  if (!(error instanceof ScoreCamError)) throw error;
  console.log(`${error.code}: ${error.message}`);
}
