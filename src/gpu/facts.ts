/** What is known of the adapter; recorded with every result and every figure. */
export interface AdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** True for a software adapter such as SwiftShader: kernels without barriers are chosen. */
  readonly isFallback: boolean;
}

/** Matrices that a subgroup multiplies in one instruction: GPUAdapterInfo.subgroupMatrixConfigs. */
export interface SubgroupMatrices {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** What a device can do, as far as kernels are chosen by it. Plain data: a plan is compiled from it without a GPU. */
export interface DeviceFacts {
  readonly isFallback: boolean;
  readonly features: ReadonlySet<string>;
  /** Invocations of a subgroup, at least and at most; 0 where the adapter does not say. */
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  readonly subgroupMatrices: readonly SubgroupMatrices[];
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  /** Of a workgroup, also where all of them are one row: 256 in WebGPU's core, 128 in its compatibility mode. */
  readonly maxInvocations: number;
  /** Bytes of a workgroup's memory. */
  readonly maxWorkgroupStorage: number;
}

/** What stands in an adapter's info where it knows of subgroups, and what Chromium adds where of matrices. */
interface SubgroupInfo {
  readonly subgroupMinSize?: number;
  readonly subgroupMaxSize?: number;
  readonly subgroupMatrixConfigs?: readonly SubgroupMatrices[];
}

/** What an adapter says of itself. */
export function factsOf(info: GPUAdapterInfo | undefined): AdapterFacts {
  return {
    vendor: info?.vendor ?? '',
    architecture: info?.architecture ?? '',
    device: info?.device ?? '',
    description: info?.description ?? '',
    isFallback: info?.isFallbackAdapter ?? info?.architecture === 'swiftshader',
  };
}

/** An adapter for people: as it calls itself, or by vendor and architecture. Some, as all of Firefox's, say nothing. */
export function adapterName({
  vendor,
  architecture,
  description,
  isFallback,
}: Omit<AdapterFacts, 'device'>): string {
  const name = description || [vendor, architecture].filter(Boolean).join(' ');
  if (!name) return isFallback ? 'this software adapter' : 'this GPU';
  return isFallback ? `${name} (software)` : name;
}

export function deviceFacts(device: GPUDevice, info: GPUAdapterInfo | undefined): DeviceFacts {
  const {
    subgroupMinSize = 0,
    subgroupMaxSize = 0,
    subgroupMatrixConfigs = [],
  } = (info ?? {}) as SubgroupInfo;
  const { limits } = device;
  return {
    isFallback: factsOf(info).isFallback,
    features: new Set(device.features),
    subgroupMinSize,
    subgroupMaxSize,
    // Copies: what an adapter gives need not be plain data.
    subgroupMatrices: [...subgroupMatrixConfigs].map(
      ({ componentType, resultComponentType, M, N, K }) => ({
        componentType,
        resultComponentType,
        M,
        N,
        K,
      }),
    ),
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxInvocations: Math.min(
      limits.maxComputeInvocationsPerWorkgroup,
      limits.maxComputeWorkgroupSizeX,
    ),
    maxWorkgroupStorage: limits.maxComputeWorkgroupStorageSize,
  };
}
