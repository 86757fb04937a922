import type { Box } from '../../src/index';

/** An object in an image. Its box is in pixels of the file, from the upper left corner on. */
export interface Annotated {
  readonly label: string;
  readonly box: Box;
}

/** What a file of boxes says, whichever format it has. */
export interface Annotations {
  /** By image, as the file names it. */
  readonly objects: ReadonlyMap<string, readonly Annotated[]>;
  /** Whether images may be described that are not there: such files are of whole data sets. */
  readonly ofWholeSet: boolean;
  /** What was left out on reading, for people. */
  readonly notes: readonly string[];
}
