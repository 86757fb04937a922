import type { Slice } from '../../gpu/kernel';
import { curveBackward } from '../../kernels/graph/curve_backward';
import { depthwiseBackward } from '../../kernels/graph/depthwise_backward';
import { activate, add } from '../../kernels/graph/elementwise';
import { factorBackward } from '../../kernels/graph/factor_backward';
import { gateBackward } from '../../kernels/graph/gate_backward';
import { whole } from '../../kernels/graph/view';
import { windowConvBackward } from '../../kernels/graph/window_conv_backward';
import { windowPoolBackward } from '../../kernels/graph/window_pool_backward';
import { IMAGE, type Layer, type Shape, sizeOf, type WindowConvLayer } from '../../model/network';
import { NO_ACTIVATION } from '../../numbers/activation';
import { convStep } from '../../plan/compile';
import { needsBefore } from '../../plan/graph/nodes';
import { beforeActivation } from '../../plan/steps';
import { BackwardPass } from '../backward-pass';
import { behindAny, bendOf, shareOf } from './layers-to-keep';
import { windowShape } from './window-shape';

/**
 * The way back through a graph: layer by layer in reverse, to those of its inputs that lead to a target. Where several
 * read one tensor, their gradients add up.
 */
export class GraphBackwardPass extends BackwardPass {
  override record(first: number, targets: ReadonlySet<string>): Map<string, Slice> {
    const { layers } = this.network;
    const behind = behindAny(this.network, [...targets]);
    const gradients = new Map([[(layers.at(-1) as Layer).name, this.start]]);
    for (const layer of layers.slice(Math.max(first, 0)).reverse()) {
      const { name } = layer;
      const gradient = gradients.get(name);
      if (!gradient) continue;
      // Whoever reads it has been gone through.
      this.found(targets, name, gradient);
      if (!behind.has(name)) continue;
      const straight = this.found(
        targets,
        beforeActivation(name),
        this.throughActivation(layer, gradient),
      );
      layer.inputs.forEach((input, i) => {
        if (!targets.has(input) && !behind.has(input)) return;
        const shape = this.shapeOf(input);
        const next = this.arena.take(`gradient of ${input}`, 4 * sizeOf(shape));
        this.toInput(layer, i, shape, straight, next);
        gradients.set(input, this.sum(input, shape, gradients.get(input), next));
      });
      for (const slice of new Set([straight, gradient])) this.release(slice);
    }
    const image = gradients.get(IMAGE);
    if (image) this.found(targets, IMAGE, image);
    return this.gradients;
  }

  protected override throughActivation(layer: Layer, gradient: Slice): Slice {
    if (!needsBefore(layer)) return super.throughActivation(layer, gradient);
    const { name: label } = layer;
    const before = this.outputs.get(bendOf(layer)[0] as string) as Slice;
    const count = sizeOf(layer.output);
    const { activation } = layer as Layer & { readonly activation: number };
    const result = this.arena.take(`gradient before ${label}'s activation`, 4 * count);
    this.dispatches.push(curveBackward({ label, count, activation, before, gradient, result }));
    return result;
  }

  private shapeOf(name: string): Shape {
    const { input, layers } = this.network;
    return layers.find((layer) => layer.name === name)?.output ?? input;
  }

  /** What one more reader of `name` adds to its gradient so far. */
  private sum(name: string, shape: Shape, soFar: Slice | undefined, more: Slice): Slice {
    if (!soFar) return more;
    const { channels, height, width } = shape;
    const total = this.arena.take(`gradient of ${name}`, 4 * sizeOf(shape));
    this.dispatches.push(
      add({
        label: name,
        batch: 1,
        channels,
        plane: height * width,
        a: whole(soFar, channels),
        b: whole(more, channels),
        activation: NO_ACTIVATION,
        output: whole(total, channels),
      }),
    );
    this.arena.release(soFar);
    this.arena.release(more);
    return total;
  }

  /** From the gradient before a layer's activation to that of its input number `i`. */
  private toInput(layer: Layer, i: number, shape: Shape, gradient: Slice, result: Slice): void {
    const { name: label } = layer;
    const input = (at: number): Slice => this.outputs.get(layer.inputs[at] as string) as Slice;
    switch (layer.type) {
      case 'windowconv':
        this.throughWindows(layer, gradient, result);
        return;
      case 'windowpool': {
        const { of, countsPadding } = layer;
        const sizes = { label, of, countsPadding, shape: windowShape(layer), batch: 1 };
        const pooled = of === 'max' ? input(0) : undefined;
        this.dispatches.push(windowPoolBackward({ ...sizes, input: pooled, gradient, result }));
        return;
      }
      case 'multiply': {
        const share = shareOf(this.network, layer);
        const sizes = { label, count: sizeOf(shape), share, gradient, result };
        this.dispatches.push(
          i === 0
            ? factorBackward({ ...sizes, other: input(1) })
            : gateBackward({ ...sizes, other: input(0) }),
        );
        return;
      }
      case 'add':
      case 'activation':
      case 'concat': {
        const { channels, height, width } = shape;
        const before = layer.type === 'concat' ? layer.inputs.slice(0, i) : [];
        const first = before.reduce((sum, name) => sum + this.shapeOf(name).channels, 0);
        this.dispatches.push(
          activate({
            label,
            batch: 1,
            channels,
            plane: height * width,
            input: { slice: gradient, first, of: layer.output.channels },
            activation: NO_ACTIVATION,
            output: whole(result, channels),
          }),
        );
        return;
      }
      default:
        this.through(layer, layer.inputs[0] as string, gradient, result);
    }
  }

  private throughWindows(layer: WindowConvLayer, gradient: Slice, result: Slice): void {
    const step = convStep(this.plan, layer);
    if (step.kind !== 'windowconv') throw new Error(`Layer "${layer.name}" has no windows.`);
    const { weights } = this.weights.conv(step);
    const { dtype } = step.layout;
    const sizes = { label: layer.name, shape: windowShape(layer), dtype, batch: 1 };
    const back = step.tiling === 'depthwise' ? depthwiseBackward : windowConvBackward;
    this.dispatches.push(back({ ...sizes, weights, gradient, result }));
  }
}
