import type { Dispatch, Slice } from '../../gpu/kernel';
import { depthwise } from '../../kernels/graph/depthwise';
import { activate, add, multiply } from '../../kernels/graph/elementwise';
import type { View } from '../../kernels/graph/view';
import { maskedWindowConv, windowConv } from '../../kernels/graph/window_conv';
import { windowPool } from '../../kernels/graph/window_pool';
import { NO_ACTIVATION } from '../../numbers/activation';
import type { GraphStep, Step, WindowConvStep } from '../../plan/steps';
import type { MaskedArgs, StepTensors, WindowWeights } from '../graph-kit';
import { inputView } from '../recorder';
import { windowShape } from './window-shape';

/** The dispatches of a step that only graphs have. */
export function recordGraphStep(step: GraphStep, io: StepTensors): Dispatch[] {
  const { name: label, layer } = step;
  const { batch, tensors, weights } = io;
  const { input: shape } = layer;
  const { channels } = shape;
  const plane = shape.height * shape.width;
  const input = inputView(step, 0, tensors, channels);
  const output = outputView(step, io.output);
  const sizes = { label, batch, channels, plane, isBounded: weights.isBounded };
  switch (step.kind) {
    case 'windowconv': {
      const own = windowShape(step.layer, step.activation);
      const added =
        step.inputs.length > 1 ? inputView(step, 1, tensors, step.output.channels) : undefined;
      const { quads } = step;
      const args = {
        label,
        shape: own,
        batch,
        input,
        output,
        added,
        quads,
        ...weightsOf(step, weights),
      };
      return [step.tiling === 'depthwise' ? depthwise(args) : windowConv(step.tiling, args)];
    }
    case 'windowpool': {
      const { of, countsPadding } = step.layer;
      const own = { ...windowShape(step.layer), channels };
      return [windowPool({ label, of, shape: own, countsPadding, batch, input, output })];
    }
    case 'add': {
      const b = inputView(step, 1, tensors, channels);
      return [add({ ...sizes, a: input, b, activation: step.activation, output })];
    }
    case 'multiply': {
      const b = inputView(step, 1, tensors, channels);
      const { gate = false } = step.layer;
      return [multiply({ ...sizes, a: input, b, gate, activation: step.activation, output })];
    }
    case 'activation':
      return [activate({ ...sizes, input, activation: step.activation, output })];
    case 'concat':
      return (step.copies ?? []).map(({ input: i, channels: own, first }) =>
        activate({
          ...sizes,
          channels: own,
          input: inputView(step, i, tensors, own),
          activation: NO_ACTIVATION,
          output: { slice: io.output, first, of: output.of },
        }),
      );
  }
}

/** The first step of a network with the mask fused in. */
export function recordMasked(step: Step, args: MaskedArgs, weights: WindowWeights): Dispatch[] {
  if (step.kind !== 'windowconv') throw new Error(`Step "${step.name}" knows no masks.`);
  const { dtype } = step.layout;
  const shape = windowShape(step.layer, step.activation);
  const output = outputView(step, args.output);
  const { tiling, quads } = step;
  if (tiling === 'depthwise') throw new Error(`Step "${step.name}" knows no masks.`);
  const own = { ...args, ...weightsOf(step, weights), shape, dtype, output, quads };
  return [maskedWindowConv(tiling, own)];
}

function weightsOf(step: WindowConvStep, from: WindowWeights) {
  const { weights, bias } = from.conv(step);
  return { weights, bias, dtype: step.layout.dtype, isBounded: from.isBounded };
}

function outputView({ home, output }: Step, slice: Slice): View {
  const { first = 0, of = output.channels } = home ?? {};
  return { slice, first, of };
}
