import type { ScoreCamErrorCode } from '../../index';

/** The element's texts in one language. `{name}` stands for what is put there. */
export interface Strings {
  /** On the button that begins. */
  readonly explain: string;
  /** Beside it, where the network takes long to fetch. */
  readonly large: string;
  readonly loading: string;
  readonly looking: string;
  /** `{class}` */
  readonly preview: string;
  /** `{class}`, `{percent}` */
  readonly explained: string;
  /** `{class}`: the map has no contrast. */
  readonly flat: string;
  readonly cancelled: string;
  readonly cancel: string;
  readonly retry: string;
  /** Name of the progress bar. */
  readonly progress: string;
  /** `{seconds}` */
  readonly left: string;
  /** Above the list of the five likeliest classes. */
  readonly classes: string;
  /** Name of the heat map: `{class}` */
  readonly heatMap: string;
  readonly opacity: string;
  /** The ends of the legend. */
  readonly least: string;
  readonly most: string;
  /** Name of the point whose value is read by arrow keys. */
  readonly point: string;
  /** `{value}`, and the place in percent from the left, `{x}`, and from the top, `{y}`. */
  readonly value: string;
  /** A point beside what the network saw of the picture. */
  readonly outside: string;
  readonly download: string;
  /** Without WebGPU: what it is, and what to do in which browser. */
  readonly noWebgpu: string;
  readonly browsers: readonly string[];
  /** What an error means, by its code; the library's own message, in English, stands behind it. */
  readonly errors: Readonly<Partial<Record<ScoreCamErrorCode, string>>>;
  /** Names of classes by the network's own; others are shown as they are. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A text with its values put in. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
