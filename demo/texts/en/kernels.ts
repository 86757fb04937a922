import work from './work';

export default {
  work,
  heading: 'Kernels',
  lead:
    'Everything that this site computes is computed by these WGSL kernels, written by hand. Here they are, with what they ' +
    'did last on your device, and what they give there when they are measured.',
  busy: 'Something is being measured or run already; please wait.',
  figures: 'The figures',
  columns: { what: 'what', time: 'ms', share: 'of the roof' },
  adapter: {
    title: 'This adapter',
    text:
      'A share of the peak needs a peak. No browser tells it, so it is measured: the fastest of some kernels that do nothing ' +
      'but multiply-adds in registers, and the fastest of some that do nothing but move memory. Together they are the roof: ' +
      'what a kernel could give at most, given how many operations it does for a byte.',
    name: 'Adapter',
    clock: 'Clock',
    gpuClock: "the GPU's own, round every dispatch (timestamp-query)",
    wall: 'the wall clock, round whole submits: timestamp-query is absent here',
    peak: 'Measured peak',
    unknown: 'not measured yet',
    peaks: (gflops: string, gbps: string) => `${gflops} GFLOP/s, ${gbps} GB/s`,
    features: 'Features in use',
    measure: 'Measure the peak',
    measuring: 'Measuring multiply-adds and memory ...',
  },
  last: {
    title: 'The last dispatches',
    text:
      'An explanation has just been run with a timestamp before and after every dispatch. This is where its time went, by ' +
      'kernel; below, every kernel lists the longest of its dispatches.',
    without:
      'This device has no timestamp-query, so single dispatches cannot be timed. What is measured below is timed by the ' +
      'wall clock, round whole submits.',
    done: (dispatches: number, passes: number) =>
      `${dispatches} dispatches of an explanation with ${passes} passes were timed.`,
    none: (passes: number) =>
      `An explanation with ${passes} passes was run; there is no clock for its dispatches.`,
    chart: (total: string, longest: string, share: string) =>
      `Time by kernel in an explanation, ${total} ms on the GPU in all; most of it, ${share}, in ${longest}.`,
    bar: (count: number, time: string, share: string) => `${time} ms in ${count}, ${share}`,
    axis: 'milliseconds',
    columns: { kernel: 'kernel', count: 'dispatches', time: 'ms', share: 'share' },
  },
  layers: {
    title: 'One pass, layer by layer',
    text:
      'The dispatches of one pass of the unmasked picture, added up by layer, with the rate that comes of the operations ' +
      'of each. One small picture does not keep a large adapter busy: masked passes go in batches for that reason.',
    chart: (total: string) => `Time of each layer in one pass, ${total} ms in all.`,
    bar: (time: string, gflops: string) => `${time} ms, ${gflops} GFLOP/s`,
    axis: 'milliseconds',
    direct:
      '* By Winograd, with a quarter of the multiplications. The operations counted are those of a direct convolution, so ' +
      'that rates compare; they may lie above the peak, and are no share of it.',
  },
  ladder: {
    title: 'The ladder',
    text: [
      'The same layer, computed in ways that are one idea apart: from the definition to what the library runs. Which rung is ' +
        'the best depends on the adapter; the library chooses by what it knows of it. It takes from seconds to a minute.',
    ],
    names: { '3x3': 'a 3x3 convolution', 'fully connected': 'a fully connected layer' },
    climb: (name: string) => `Climb: ${name}`,
    climbing: (name: string) => `Measuring ${name} ...`,
    chart: (group: string, gain: string) =>
      `${group}: rate of each rung. The fastest takes a ${gain}th of the time of the first.`,
    bar: (time: string, gflops: string) => `${time} ms, ${gflops} GFLOP/s`,
    idea: 'idea',
    done: (best: string, gain: string) =>
      `Fastest here: ${best}, ${gain} times as fast as the first.`,
  },
  roof: {
    title: 'Under the roof',
    text:
      'Every kernel that this device can run, alone, at sizes of VGG-16. A dot is a kernel, the line is the roof: on the ' +
      'slope memory is the limit, on the flat part arithmetic. Bytes count every tensor once, so what stays in a cache may ' +
      'lie above the slope. It takes minutes on a software adapter; leaving this page ends it.',
    measure: 'Measure every kernel',
    measuring: 'Measuring every kernel ...',
    chart: (kernels: number, gflops: string, gbps: string, best: string, share: string) =>
      `${kernels} measurements under a roof of ${gflops} GFLOP/s and ${gbps} GB/s. The largest share of the roof has ` +
      `${best}: ${share}.`,
    done: (kernels: number) => `${kernels} measurements.`,
  },
  all: {
    title: 'Every kernel',
    text: 'Each with the comment at its head, which has the sum, the shapes and the costs, and with its source.',
    kinds: {
      convolution: 'Convolution',
      winograd: "Winograd's convolution",
      graph: 'Only for networks with branches',
      linear: 'Fully connected layers',
      layers: 'Other layers',
      maps: 'Activation maps',
      tiles: 'Tiles that a mask reaches',
      inputs: 'What a pass begins with',
      shared: 'Modules that kernels import',
      ladder: 'Only for the ladder and for tests',
    },
    time: (count: number, time: string) =>
      `${time} ms in ${count} ${count === 1 ? 'dispatch' : 'dispatches'}`,
    variants: (names: string) => `Kernels made of it: ${names}.`,
    source: (file: string) => `Source of ${file}`,
    measure: 'Measure it',
    measuring: 'Measuring ...',
    measured: (file: string) => `${file}, alone, at sizes of VGG-16`,
    unmeasured: 'There is no measurement of it that this device can run.',
    done: 'Measured.',
    dispatches: (shown: number, of: number) =>
      shown < of ? `The ${shown} longest of its last ${of} dispatches` : 'Its last dispatches',
    columns: {
      label: 'what',
      variant: 'kernel',
      workgroups: 'workgroups',
      sizes: 'sizes and parameters',
      buffers: 'buffers',
      time: 'ms',
    },
  },
};
