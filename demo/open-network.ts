import {
  browserCache,
  createExplainer,
  type Explainer,
  type Method,
  type Progress,
  type WeightDtype,
} from '../src/index';
import { BUILT_IN, WEIGHTS } from './networks';

/** Which network, from where: its weights come from the given files, this server's disk or the web. */
export interface Choice {
  readonly model: string;
  readonly dtype: WeightDtype | undefined;
  readonly files?: readonly File[] | undefined;
}

/** Weights of the web are kept in this browser, so that they are downloaded once. */
export const cache = browserCache();

/** The one place where the site makes an explainer. */
export async function openNetwork(
  { model, dtype, files }: Choice,
  onProgress: (progress: Progress) => void,
  prepare: Method | undefined,
  signal?: AbortSignal,
): Promise<Explainer> {
  const options = { dtype, prepare, signal, onProgress };
  if (files) return createExplainer({ ...options, model, weights: files });
  const local = await localManifest(model, dtype);
  return createExplainer(local ? { ...options, model: local } : { ...options, model, cache });
}

/** Manifest of a model in this server's weights/ folder: built in, or made by `npm run weights`. */
async function localManifest(
  name: string,
  form: WeightDtype | undefined,
): Promise<string | undefined> {
  const url = `${WEIGHTS}/${name}${form && form !== 'f32' ? `-${form}` : ''}/manifest.json`;
  if (name === BUILT_IN) return url;
  const found = await fetch(url, { method: 'HEAD' }).catch(() => undefined);
  return found?.ok && found.headers.get('content-type')?.includes('json') ? url : undefined;
}
