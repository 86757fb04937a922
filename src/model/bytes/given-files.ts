import { ScoreCamError } from '../../errors';
import { type ByteSource, blobSource, type OpenSibling } from './byte-source';

/** A file of the caller's, with those that belong to it. */
export interface GivenFiles {
  readonly main: ByteSource;
  readonly others: readonly File[];
  readonly sibling: OpenSibling;
}

/**
 * Of several files, the one in JSON lists the others; of a network's, an ONNX file has those beside it.
 * @param isNetwork whether it is a network that is given, not weights
 * @throws ScoreCamError `weights` where there is none
 */
export function givenFiles(location: Blob | readonly File[], isNetwork: boolean): GivenFiles {
  const files = location instanceof Blob ? [location] : location;
  const nameOf = (file: Blob): string => (file instanceof File ? file.name : 'blob');
  const endsIn = (ending: string): Blob | undefined =>
    files.find((file) => nameOf(file).endsWith(ending) && nameOf(file) !== 'score-cam.json');
  const main =
    files.length === 1 ? files[0] : ((isNetwork ? endsIn('.onnx') : undefined) ?? endsIn('.json'));
  if (!main) {
    throw new ScoreCamError(
      'weights',
      `${files.length} files were given (${files.map(nameOf).join(', ')}) and none is the .json that lists the others: choose ` +
        'one weights file, or model.json (or model.safetensors.index.json) together with its shards.',
    );
  }
  const sibling: OpenSibling = async (path) => {
    const name = path.split('/').at(-1);
    const found = files.find((file) => file instanceof File && file.name === name);
    if (found) return blobSource(found);
    throw new ScoreCamError(
      'weights',
      `${nameOf(main)} lists ${path}, which is not among the files given: choose it too.`,
    );
  };
  const others = files.filter((file): file is File => file !== main && file instanceof File);
  return { main: blobSource(main), others, sibling };
}
