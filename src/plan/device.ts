import type { DeviceFacts } from '../gpu/facts';
import { type MatrixUnits, matrixLanes } from '../kernels/winograd/winograd_product';
import type { Precision } from '../numbers/dtypes';
import type { ConvDevice } from './conv_choice';

/** What the choice of kernels makes of a device's facts. */
export function convDevice(facts: DeviceFacts, precision: Precision): ConvDevice {
  return {
    isFallback: facts.isFallback,
    maxInvocations: facts.maxInvocations,
    maxStorage: facts.maxWorkgroupStorage,
    precision,
    quads: quadsOf(facts),
    units: unitsOf(facts),
  };
}

/** Fours of invocations that a subgroup is, where that is always the same. */
function quadsOf({ features, subgroupMinSize, subgroupMaxSize }: DeviceFacts): number | undefined {
  const always = features.has('subgroups') && subgroupMinSize === subgroupMaxSize;
  return always && subgroupMinSize >= 4 && subgroupMinSize % 4 === 0
    ? subgroupMinSize / 4
    : undefined;
}

/** The units that multiply f16 and sum in f32, if the device was made with what they need. */
function unitsOf({
  features,
  subgroupMatrices,
  subgroupMaxSize,
  maxInvocations,
}: DeviceFacts): MatrixUnits[] {
  const needs = ['chromium-experimental-subgroup-matrix', 'shader-f16', 'subgroups'];
  if (!subgroupMaxSize || !needs.every((feature) => features.has(feature))) return [];
  const lanes = matrixLanes(subgroupMaxSize, maxInvocations);
  return subgroupMatrices
    .filter((own) => own.componentType === 'f16' && own.resultComponentType === 'f32')
    .map(({ M, N, K }) => ({ m: M, n: N, k: K, lanes }));
}
