import {
  bytes,
  type Call,
  functionAt,
  library,
  type Memory,
  memory,
  struct,
  textAt,
} from './memory';

/*
 * As much of Vulkan as compiles a compute pipeline and says what the compiler made of it
 * (VK_KHR_pipeline_executable_properties). Structs are lists of their members, in the order of vulkan_core.h; the first
 * is sType, the second pNext.
 */

/** What a shader binds, in descriptor set 0. */
export interface Bound {
  readonly binding: number;
  readonly isUniform: boolean;
}

export interface Compiled {
  /** The compiler's statistics, by its names. */
  readonly statistics: Readonly<Record<string, number>>;
  readonly assembly: string;
}

export interface Compiler {
  /** As the driver calls the device. */
  readonly device: string;
  /** Such as 25.0.7. */
  readonly version: string;
  /** Whether it has matrix units. */
  readonly allowsMatrices: boolean;
  compile(spirv: Uint8Array, entry: string, bound: readonly Bound[]): Compiled;
  /** The driver's own function of a device. @throws Error for one that it does not have */
  addressOf(name: string): bigint;
}

const API_1_3 = (1 << 22) | (3 << 12);

/** Wanted where there are, since Dawn does with them. */
const EXTENSIONS = [
  'VK_KHR_pipeline_executable_properties',
  'VK_KHR_cooperative_matrix',
  'VK_EXT_robustness2',
];

const CAPTURE = 0x40 | 0x80;
const COMPUTE = 0x20;
const BUFFER = { uniform: 6, storage: 7 } as const;

/** Booleans behind sType and pNext. */
const features = (type: number, count: number, next?: Memory): Memory =>
  struct(type, next, ...new Array<number>(count).fill(0));

/** The first device of the driver that VK_DRIVER_FILES names. @throws Error naming the call that failed */
export function openCompiler(libvulkan = 'libvulkan.so.1'): Compiler {
  const load = library(libvulkan);
  const call = (name: string, ...types: readonly ('u32' | 'u64')[]): Call => {
    const own = load(name, types);
    return (...args) => checked(name, own(...args));
  };
  const out = (run: (pointer: Memory) => unknown): bigint => {
    const pointer = memory(8);
    run(pointer);
    return pointer.view.getBigUint64(0, true);
  };
  const application = struct(0, undefined, undefined, 0, undefined, 0, API_1_3);
  const instance = out((pointer) =>
    call(
      'vkCreateInstance',
      'u64',
      'u64',
      'u64',
    )(struct(1, undefined, 0, application, 0, undefined, 0, undefined), undefined, pointer),
  );
  const count = struct(1);
  const physical = out((pointer) =>
    call('vkEnumeratePhysicalDevices', 'u64', 'u64', 'u64')(instance, count, pointer),
  );
  const properties = memory(1024);
  load('vkGetPhysicalDeviceProperties', ['u64', 'u64'], 'void')(physical, properties);
  const version = properties.view.getUint32(4, true);
  const enumerate = call('vkEnumerateDeviceExtensionProperties', 'u64', 'u64', 'u64', 'u64');
  const known = struct(0);
  enumerate(physical, undefined, known, undefined);
  const size = 260;
  const listed = memory(size * known.view.getUint32(0, true));
  enumerate(physical, undefined, known, listed);
  const names = Array.from({ length: known.view.getUint32(0, true) }, (_, i) =>
    textAt(listed, size * i, 256),
  );
  const extensions = EXTENSIONS.filter((name) => names.includes(name));
  const allowsMatrices = extensions.includes('VK_KHR_cooperative_matrix');
  const matrices = allowsMatrices ? features(1000506000, 2) : undefined;
  // Of Vulkan 1.3, 1.2, 1.1, of the extension, and of Vulkan 1.0.
  const all = features(
    1000059000,
    55,
    features(1000269000, 1, features(49, 12, features(51, 47, features(53, 15, matrices)))),
  );
  load('vkGetPhysicalDeviceFeatures2', ['u64', 'u64'], 'void')(physical, all);
  const priority = memory(4);
  priority.view.setFloat32(0, 1, true);
  const queue = struct(2, undefined, 0, 0, 1, priority);
  const device = out((pointer) =>
    call(
      'vkCreateDevice',
      'u64',
      'u64',
      'u64',
      'u64',
    )(
      physical,
      struct(
        3,
        all,
        0,
        1,
        queue,
        0,
        undefined,
        extensions.length,
        struct(...extensions),
        undefined,
      ),
      undefined,
      pointer,
    ),
  );
  const make = (name: string, info: Memory): bigint =>
    out((pointer) => call(name, 'u64', 'u64', 'u64', 'u64')(device, info, undefined, pointer));
  const getAddress = load('vkGetDeviceProcAddr', ['u64', 'u64'], 'uint64');
  const addressOf = (name: string): bigint => {
    const address = BigInt(getAddress(device, bytes(Buffer.from(`${name}\0`))));
    if (address === 0n) throw new Error(`The driver has no ${name}.`);
    return address;
  };
  const extra = (name: string): Call => {
    const own = functionAt(addressOf(name), name, ['u64', 'u64', 'u64', 'u64']);
    return (...args) => checked(name, own(...args));
  };
  const statistics = extra('vkGetPipelineExecutableStatisticsKHR');
  const representations = extra('vkGetPipelineExecutableInternalRepresentationsKHR');
  const createPipelines = call(
    'vkCreateComputePipelines',
    'u64',
    'u64',
    'u32',
    'u64',
    'u64',
    'u64',
  );

  const compile: Compiler['compile'] = (spirv, entry, bound) => {
    const bindings = bound.flatMap(({ binding, isUniform }) => [
      binding,
      isUniform ? BUFFER.uniform : BUFFER.storage,
      1,
      COMPUTE,
      undefined,
    ]);
    const set = make(
      'vkCreateDescriptorSetLayout',
      struct(32, undefined, 0, bound.length, struct(...bindings)),
    );
    const layout = make(
      'vkCreatePipelineLayout',
      struct(30, undefined, 0, 1, struct(set), 0, undefined),
    );
    const module = make(
      'vkCreateShaderModule',
      struct(16, undefined, 0, BigInt(spirv.length), bytes(spirv)),
    );
    // The stage is a struct in a struct: it begins at a multiple of 8.
    const stage = [18, undefined, 0, COMPUTE, module, entry, undefined] as const;
    const info = struct(29, undefined, CAPTURE, 0, ...stage, layout, 0n, 0);
    const pipeline = out((pointer) => createPipelines(device, 0n, 1, info, undefined, pointer));
    const executable = struct(1000269003, undefined, pipeline, 0);
    return {
      statistics: Object.fromEntries(
        readAll(statistics, executable, 1000269004, 544).map((own) => [
          textAt(own, 16, 256),
          statisticOf(own.view),
        ]),
      ),
      assembly: assemblyOf(executable),
    };
  };

  const assemblyOf = (executable: Memory): string => {
    const found = readAll(representations, executable, 1000269005, 552, (own) => {
      const room = memory(Number(own.getBigUint64(536, true)));
      own.setBigUint64(544, room.address, true);
      return room;
    });
    const own = found.find((one) => textAt(one, 16, 256) === 'Assembly');
    if (!own?.room) throw new Error('The driver gives no assembly.');
    return textAt(own.room, 0, own.room.view.byteLength);
  };

  /** The structs of a list that is asked for twice: how many, and what; with room for what they point at, three times. */
  function readAll(
    read: Call,
    executable: Memory,
    type: number,
    bytesEach: number,
    roomOf?: (own: DataView) => Memory,
  ): (Memory & { readonly room: Memory | undefined })[] {
    const number = struct(0);
    read(device, executable, number, undefined);
    const length = number.view.getUint32(0, true);
    const list = memory(bytesEach * length);
    const each = Array.from({ length }, (_, i) => ({
      address: list.address + BigInt(bytesEach * i),
      view: new DataView(list.view.buffer, bytesEach * i, bytesEach),
    }));
    for (const { view } of each) view.setUint32(0, type, true);
    read(device, executable, number, list);
    const rooms = each.map(({ view }) => roomOf?.(view));
    if (roomOf) read(device, executable, number, list);
    return each.map((own, i) => ({ ...own, room: rooms[i] }));
  }

  return {
    device: textAt(properties, 20, 256),
    version: [version >>> 22, (version >>> 12) & 1023, version & 4095].join('.'),
    allowsMatrices,
    compile,
    addressOf,
  };
}

function statisticOf(view: DataView): number {
  const format = view.getUint32(528, true);
  if (format === 3) return view.getFloat64(536, true);
  return format === 0 ? view.getUint32(536, true) : Number(view.getBigInt64(536, true));
}

/** VkResult: what is below zero is an error. */
function checked(name: string, result: number): number {
  if (result < 0) throw new Error(`${name} gave ${result}.`);
  return result;
}
