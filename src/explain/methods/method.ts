import type { Network } from '../../model/network';
import type { FinishedScores } from '../../runtime/finished';
import type { Evidence } from '../evidence';
import type { Forward } from '../forward';
import type { normalise } from '../image';
import type { Pixels } from '../pixels';
import type { Callbacks, Passes } from '../types';
import type { Baseline, GradientOf, NumberOption, OptionValues, Weighting } from './options';

/** What a method costs depends on. */
export interface CostOf {
  /** Channels of the target layer. */
  readonly channels: number;
  /** Height times width of its maps. */
  readonly positions: number;
  /** Classes asked for, each read off the same run. */
  readonly classes: number;
}

/** What a method is, takes and costs: data, good without a GPU. */
export interface MethodFacts<Name extends string = string> {
  readonly name: Name;
  /** As its authors write it. */
  readonly title: string;
  /** What it does, for somebody who is to choose one: a sentence without its full stop. */
  readonly summary: string;
  /** Authors and year, and the equation where the paper has several. */
  readonly source: string;
  /**
   * The options it takes, with its defaults; undefined for one that changes nothing unless given, or that goes
   * by the weighting. Others are refused.
   */
  readonly options: OptionValues;
  /** Whether it runs backwards, for which the forward pass must keep the layers behind the target. */
  readonly needsGradients: boolean;
  /** Whether it looks into a layer; one that does not takes no `layer`. */
  readonly usesLayer: boolean;
  /** Whether it tells what its passes so far make of the image, while it runs. */
  readonly givesPreviews: boolean;
  /** Passes for one image and one target layer, the unmasked image's included: at most, if maps are constant. */
  readonly cost: (options: OptionValues, target: CostOf) => Passes;
}

/** A method with its code, which is loaded when it is first asked for. */
export interface MethodDescription<Name extends string = string> extends MethodFacts<Name> {
  /**
   * Of methods that not every layer admits: nothing but the network's layers, so that Node can ask before a
   * browser starts.
   * @throws ScoreCamError `option` saying why not and what would fit
   */
  readonly check?: (network: Network, layers: readonly string[]) => void;
  readonly load: () => Promise<RunMethod>;
}

/** Runs what the method needs besides the forward pass. */
export type RunMethod = (forward: Forward, options: RunOptions) => Promise<Evidence>;

export interface RunOptions extends Callbacks {
  /** Of methods with previews: hears the evidence of the passes run so far, several times. */
  readonly onEvidence?: ((evidence: Evidence) => Promise<void>) | undefined;
  readonly choice: Choice;
  /** Passes that are through already, and those to come. */
  readonly finished: FinishedScores;
  readonly memoryBudget: number;
  readonly pixels: Pixels;
  readonly manifest: Parameters<typeof normalise>[1];
}

/** What a method is to do, checked against the network, with every default filled in. */
export interface Choice extends Pick<OptionValues, NumberOption | 'rivalWeights' | 'validate'> {
  /** None for methods that look into no layer. */
  readonly layers: readonly string[];
  /** Sorted, without repeats; undefined for all. */
  readonly channels: readonly number[] | undefined;
  /** Undefined for methods without weightings. */
  readonly weighting: Weighting | undefined;
  readonly alignCorners: boolean;
  readonly baseline: Baseline;
  /** Of the gradient methods, else undefined. */
  readonly of: GradientOf | undefined;
}
