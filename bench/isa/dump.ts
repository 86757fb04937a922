/// Makes pipelines by Dawn for a GPU that is not there, RADV's null hardware, and Dawn prints the SPIR-V of each on
/// stdout. Built into one file and run in a process of its own: nothing is computed, and whoever started it reads what
/// is printed.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Pipelines } from '../../src/gpu/pipelines';
import { MATRIX_FEATURE } from '../../src/kernels/winograd/winograd_product';
import { seededVgg } from '../../src/model/seeded-vgg';
import { swallowCommands } from './no-commands';
import { pipelinesOf, type Selection } from './pipelines';
import { GPU_FACTS, gpuDispatches } from './recorded';
import type { KernelName, Way } from './types';
import { waysOf } from './work';

/** What it is told, as JSON. */
export interface DumpOptions extends Selection {
  /** A dawn.node. */
  readonly dawn: string;
  /** Gets what else is known as JSON. */
  readonly list: string;
}

export interface Dumped {
  /** In the order in which they are printed. */
  readonly pipelines: readonly KernelName[];
  readonly ways: readonly Way[];
}

async function dump({ dawn, list, ...selection }: DumpOptions): Promise<void> {
  const { create, globals } = createRequire(import.meta.url)(dawn) as {
    create(flags: readonly string[]): GPU;
    globals: object;
  };
  Object.assign(globalThis, globals);
  swallowCommands();
  const gpu = create(['backend=vulkan', 'enable-dawn-features=dump_shaders,allow_unsafe_apis']);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('Dawn finds no Vulkan adapter.');
  const device = await adapter.requestDevice({
    requiredFeatures: [...GPU_FACTS.features, MATRIX_FEATURE] as GPUFeatureName[],
    requiredLimits: {
      maxComputeWorkgroupStorageSize: GPU_FACTS.maxWorkgroupStorage,
      maxComputeInvocationsPerWorkgroup: GPU_FACTS.maxInvocations,
      maxComputeWorkgroupSizeX: GPU_FACTS.maxInvocations,
    },
  });
  const { network } = seededVgg(16, 1);
  const all = pipelinesOf(gpuDispatches(network), selection);
  const pipelines = new Pipelines(device);
  // One after the other, so that the first text is the first pipeline's.
  for (const { dispatch } of all) await pipelines.of(dispatch);
  const dumped: Dumped = {
    pipelines: all.map(({ dispatch: _, ...own }) => own),
    ways: waysOf(network, 512),
  };
  writeFileSync(list, JSON.stringify(dumped));
  // Dawn keeps Node alive as long as one of its objects lives, and would take it along if this were collected.
  process.exit(gpu ? 0 : 1);
}

// Not waited for: in one file, the kernels' texts stand behind this.
dump(JSON.parse(process.argv[2] as string) as DumpOptions).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
