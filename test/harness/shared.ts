/** Reading the reference data; `url` ends in '/'. */
import { decodePng } from './png';

export async function sharedF32(url: string, path: string): Promise<Float32Array> {
  return new Float32Array(await (await get(url + path)).arrayBuffer());
}

/** Pixels of a PNG. */
export async function sharedImage(url: string, path: string): Promise<ImageData> {
  return decodePng(await (await get(url + path)).blob());
}

export async function sharedJson<T>(url: string, path: string): Promise<T> {
  return (await get(url + path)).json();
}

async function get(address: string): Promise<Response> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response;
}

/** golden/vgg16-seed1/golden.json, as far as the tests read it. */
export interface VggGolden {
  readonly tensors: readonly {
    readonly t: number;
    readonly name: string;
    readonly shape: readonly number[];
    readonly first: readonly number[];
    readonly last: number;
    readonly sum_f64: number;
    readonly sumabs_f64: number;
  }[];
  readonly layers: Readonly<Record<string, LayerGolden>>;
  readonly logits: readonly number[];
  readonly top5: readonly (readonly [number, number])[];
  readonly baseline_logits: readonly number[];
  readonly upsampled_min_max: readonly (readonly [number, number])[];
  readonly constant_channels: readonly number[];
  readonly classes: Readonly<
    Record<
      string,
      {
        readonly masked_prob: readonly (number | null)[];
        readonly gradcam_alpha: readonly number[];
        readonly gradcam_alpha_of_probability: readonly number[];
      }
    >
  >;
}

export interface LayerGolden {
  readonly shape: readonly [number, number, number];
  readonly mean: number;
  readonly std: number;
  readonly max: number;
  readonly samples: readonly (readonly [number, number])[];
}

/** golden/tiny-darknet-chelsea/golden.json, as far as the tests read it. */
export interface DarknetGolden {
  readonly top5: readonly (readonly [number, string, number])[];
  readonly logits: readonly number[];
  readonly classes: Readonly<Record<string, { readonly masked_prob: readonly number[] }>>;
}
