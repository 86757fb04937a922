import type { OptionValues } from './options';

/** What is explained: a sum of scores, each class with its factor. Usually one class, with 1. */
export type Question = readonly (readonly [classIndex: number, factor: number])[];

/** Whether other classes are subtracted, which, and how. */
export type Contrast = Pick<OptionValues, 'contrast' | 'rivals' | 'rivalWeights'>;
