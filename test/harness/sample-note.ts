/** What the case of the embedded model says of itself; the table of docs/browsers.md reads it. */
export interface SampleNote {
  /** Largest of the map. */
  readonly error: number;
  readonly ms: number;
  /** Who computed it. */
  readonly by: string;
}

export const sampleNote = ({ error, ms, by }: SampleNote): string =>
  `map: largest error ${error.toExponential(1)}, in ${(ms / 1000).toFixed(1)} s by ${by}`;

/** Its parts, as they were written; undefined where another case speaks. */
export function readSampleNote(note: string) {
  const parts = /^map: largest error (\S+), in (\S+ s) by (.*)$/.exec(note);
  if (!parts) return undefined;
  const [, error = '', time = '', by = ''] = parts;
  return { error, time, by };
}
