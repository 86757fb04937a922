/**
 * The methods: one file each beside this one, which says what the method is, takes and costs, and loads how it
 * runs (`runs/`). This list is the only one; the library, the command line, the demo and the test of docs/methods.md
 * read it. Neither it nor what it imports needs a GPU, a browser or a kernel until a method is loaded.
 */
import { ablationCam } from './ablation-cam';
import { cam } from './cam';
import { clusterCam } from './cluster-cam';
import { eigenCam } from './eigen-cam';
import { eigenGradCam } from './eigen-grad-cam';
import { fasterScoreCam } from './faster-score-cam';
import { fem } from './fem';
import { fullGrad } from './full-grad';
import { gradCam } from './grad-cam';
import { gradCamElementwise } from './grad-cam-elementwise';
import { gradCamPlusPlus } from './grad-cam-plus-plus';
import { groupCam } from './group-cam';
import { hiResCam } from './hires-cam';
import { isCam } from './is-cam';
import { kpcaCam } from './kpca-cam';
import { layerCam } from './layer-cam';
import type { MethodDescription } from './method';
import { optiCam } from './opti-cam';
import type { MethodOption } from './options';
import { reciproCam } from './recipro-cam';
import { refineCam } from './refine-cam';
import { rise } from './rise';
import { scoreCam } from './score-cam';
import { shapleyCam } from './shapley-cam';
import { ssCam } from './ss-cam';
import { xGradCam } from './xgrad-cam';

const LIST = [
  scoreCam,
  fasterScoreCam,
  clusterCam,
  ssCam,
  isCam,
  groupCam,
  optiCam,
  rise,
  ablationCam,
  reciproCam,
  gradCam,
  gradCamPlusPlus,
  hiResCam,
  layerCam,
  gradCamElementwise,
  xGradCam,
  shapleyCam,
  refineCam,
  fullGrad,
  eigenGradCam,
  eigenCam,
  kpcaCam,
  fem,
  cam,
] as const;

/** How the maps of a layer become one map; docs/methods.md has the formulas. */
export type Method = (typeof LIST)[number]['name'];

/** Every method by its name, in the order of docs/methods.md. */
export const METHODS = Object.fromEntries(
  LIST.map((method) => [method.name, method]),
) as unknown as Readonly<Record<Method, MethodDescription>>;

export const METHOD_NAMES = Object.keys(METHODS) as readonly Method[];

/** The methods that take an option. */
export function takers(option: MethodOption): readonly Method[] {
  return METHOD_NAMES.filter((name) => option in METHODS[name].options);
}
