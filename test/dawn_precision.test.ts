import { describe, expect, it } from 'vitest';
import { Arena } from '../src/gpu/arena';
import { Gpu } from '../src/gpu/gpu';
import { type ConvShape, packConv } from '../src/kernels/convolution/conv';
import type { ConvLayer } from '../src/model/network';
import { seededVgg } from '../src/model/seeded-vgg';
import { methodName } from '../src/plan/candidates';
import { type ConvMethod, HALF_PRODUCTS } from '../src/plan/conv_choice';
import { recordConv } from '../src/runtime/record-conv';
import { lacking, openDawn } from './harness/dawn';
import { convReference } from './reference/conv';

/*
 * What the ways to convolve err by, in layers of VGG-16: real channel counts and kernels on a part of the picture,
 * activations as after a ReLU, weights as at the start of training (He et al. 2015), against f64.
 */

const SIZE = 12;
const OUTPUTS = 16;

/** Standard normal, reproducible: Box and Muller over a 32-bit generator. */
function normals(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return (((x ^ (x >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

const winograd = (precision: 'f32' | 'f16'): ConvMethod => ({
  kind: 'winograd',
  precision,
  product: 'registers',
});

const wantsSlow = process.env.SCORE_CAM_SLOW === '1';

/** Every way with twice the errors measured on lavapipe, Mesa 25, root mean square and largest, in 512 channels. */
const methods: readonly (readonly [method: ConvMethod, rms: number, worst: number])[] = [
  [{ kind: 'direct', tiling: 'registers' }, 1.2e-6, 2.4e-6],
  [winograd('f32'), 3.6e-6, 6e-6],
  [{ kind: 'fused', precision: 'f32', sides: 2 }, 1.2e-6, 2.4e-6],
  // lavapipe takes most of a minute to compile it; its errors are those of F(4x4) in three kernels.
  ...(wantsSlow ? ([[{ kind: 'fused4x4', precision: 'f32' }, 3.6e-6, 6e-6]] as const) : []),
  [winograd('f16'), 3.4e-3, 6e-3],
  [{ kind: 'fused', precision: 'f16', sides: 2 }, 1.2e-3, 2e-3],
  // Less than what storing U, V and M of F(4x4) in f16 errs by.
  [HALF_PRODUCTS, 1.7e-3, 2.7e-3],
];

interface ErrorFigures {
  /** Root mean square of the errors, over that of the outputs. */
  readonly rms: number;
  /** Largest error, over the largest output. */
  readonly worst: number;
}

async function errorsOf(
  gpu: Gpu,
  inChannels: number,
  scale: number,
  method: ConvMethod,
): Promise<ErrorFigures> {
  const shape: ConvShape = {
    inChannels,
    outChannels: OUTPUTS,
    height: SIZE,
    width: SIZE,
    kernel: 3,
    activation: 1,
    pool: false,
  };
  const input = normals(inChannels * SIZE * SIZE, 1).map((x) => scale * Math.max(0, x));
  const deviation = Math.sqrt(2 / (9 * inChannels));
  const weights = normals(OUTPUTS * inChannels * 9, 2).map((x) => deviation * x);
  const bias = new Float32Array(OUTPUTS);
  const { values } = convReference(shape, 1, input, weights, bias);
  const packed = packConv(weights, bias, shape, 'f32');
  const arena = new Arena(gpu);
  try {
    const output = arena.take('output', 4 * values.length);
    const dispatches = recordConv(
      {
        label: 'test',
        shape,
        method,
        batch: 1,
        dtype: 'f32',
        weights: arena.upload('weights', packed.weights),
        filters: undefined,
        bias: arena.upload('bias', packed.bias),
        input: arena.upload('input', input),
        output,
      },
      arena,
    );
    await gpu.submit('test', dispatches);
    const actual = await gpu.read(output.buffer, values.length);
    let squares = 0;
    let power = 0;
    let worst = 0;
    let largest = 0;
    values.forEach((value, i) => {
      const error = Math.abs((actual[i] as number) - value);
      squares += error ** 2;
      power += value ** 2;
      worst = Math.max(worst, error);
      largest = Math.max(largest, Math.abs(value));
    });
    return { rms: Math.sqrt(squares / power), worst: worst / largest };
  } finally {
    arena.dispose();
  }
}

const dawn = await openDawn('backend=vulkan');
const reason = await lacking(dawn, ['shader-f16']);
if (reason !== undefined) console.log(`Errors of the precisions are not measured: ${reason}.`);

describe.skipIf(reason !== undefined)('errors of a layer on Dawn', () => {
  const layers = seededVgg(16, 1).network.layers.filter(
    (layer): layer is ConvLayer => layer.type === 'conv',
  );
  const all = [...new Set(layers.slice(1).map(({ input }) => input.channels))];
  // Each has its kernels compiled: the shallowest, or with SCORE_CAM_SLOW=1 all of them.
  const depths = wantsSlow ? all : all.slice(0, 1);

  // f16 has a range as well as a precision: small activations, and sums of tens of thousands.
  it.each(depths.flatMap((depth) => [0.01, 1, 3000].map((scale) => [depth, scale] as const)))(
    'of %i input channels, activations of %f',
    async (inChannels, scale) => {
      const adapter = (await dawn.gpu?.requestAdapter()) as GPUAdapter;
      const gpu = await Gpu.create({ adapter });
      try {
        const notes: string[] = [];
        for (const [method, most, farthest] of methods) {
          const { rms, worst } = await errorsOf(gpu, inChannels, scale, method);
          const figures = `${rms.toExponential(1)}, at worst ${worst.toExponential(1)}`;
          notes.push(`${methodName(method)}: ${figures}`);
          expect(rms, methodName(method)).toBeLessThan(most);
          expect(worst, methodName(method)).toBeLessThan(farthest);
          // Nothing is as right as f64: a comparison of a thing with itself would be.
          expect(rms).toBeGreaterThan(1e-8);
        }
        console.log(`${inChannels} channels, activations of ${scale}: ${notes.join('; ')}`);
      } finally {
        gpu.dispose();
      }
    },
  );
});
