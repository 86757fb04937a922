import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { weightBlocks } from '../src/model/blocks';
import { memorySource } from '../src/model/bytes/byte-source';
import { openSafetensors } from '../src/model/formats/safetensors';
import { parseManifest } from '../src/model/manifest';
import type { Model } from '../src/model/model';
import { buildNetwork } from '../src/model/network';
import { compile, type PlanOptions } from '../src/plan/compile';
import { Bounds, canBeBounded } from '../src/runtime/bounds';
import { factsOf } from './harness/facts';
import { smallGraph } from './harness/small-graph';
import { smallLayers, smallModel } from './harness/small-model';

async function boundsOf(
  { network, weights }: Pick<Model, 'network' | 'weights'>,
  options: PlanOptions = {},
): Promise<Bounds> {
  const plan = compile(network, factsOf(), options);
  const bounds = new Bounds(plan);
  for await (const block of weightBlocks(network, weights, { dtype: plan.dtype }))
    bounds.add(block);
  return bounds;
}

const poolingHead = { layers: smallLayers.poolingHead, targetLayer: 'conv2' };

describe('bounds of sums', () => {
  it('are products of the largest rows, from the largest pixel on', async () => {
    // Each layer's first row has only its bias and weights of one size; the others are smaller.
    const rows = { conv1: [27, 3], conv2: [54, -5], conv3: [5, 7] } as const;
    const model = smallModel({
      ...poolingHead,
      change: (tensor, values) => {
        const [layer, kind] = tensor.split('.') as [keyof typeof rows, string];
        const [length, value] = rows[layer];
        values.fill(0.01);
        if (kind === 'weight') values.fill(value, 0, length);
        else values[1] = -value;
      },
    });
    // (1 - 0.5) / 0.2 and, of the other side, 0.4 / 0.25.
    expect(model.network.largestPixel).toBe(2.5);
    const first = 100 * 2.5 * 27 * 3 + 3;
    const second = first * 54 * 5 + 5;
    const { largest, areFinite } = await boundsOf(model);
    expect(largest).toBeCloseTo(second * 5 * 7 + 7, 0);
    expect(areFinite).toBe(true);
  });

  it('are of the layer that has the largest, though others behind it are small', async () => {
    const change = (tensor: string, values: Float32Array): void => {
      if (tensor === 'conv2.weight') values[0] = 1e35;
      if (tensor === 'conv3.weight') values.fill(0);
    };
    const bounds = await boundsOf(smallModel({ ...poolingHead, change }));
    expect(bounds.largest).toBeGreaterThan(1e35);
    expect(bounds.areFinite).toBe(false);
  });

  it('are not those of a network with weights or means beyond reason', async () => {
    const change = (_: string, values: Float32Array): void => {
      values.fill(1e30);
    };
    expect((await boundsOf(smallModel({ change }))).areFinite).toBe(false);
    const { network, weights } = smallModel();
    const odd = { ...network, largestPixel: Number.POSITIVE_INFINITY };
    expect((await boundsOf({ network: odd, weights })).areFinite).toBe(false);
  });

  it('are unknown as long as a layer is', async () => {
    const { network, weights } = smallModel();
    const bounds = new Bounds(compile(network, factsOf()));
    for await (const block of weightBlocks(network, weights, { dtype: 'f32' })) {
      if (block.layer.name !== 'conv2') bounds.add(block);
    }
    expect(bounds.largest).toBe(Number.POSITIVE_INFINITY);
    expect(bounds.areFinite).toBe(false);
  });

  it('are not asked for of f16 between kernels, and of branches', async () => {
    const { network } = smallModel();
    const plan = (options: PlanOptions) => compile(network, factsOf(), options);
    expect(canBeBounded(plan({}))).toBe(true);
    expect(canBeBounded(plan({ dtype: 'f16' }))).toBe(true);
    expect(canBeBounded(plan({ dtype: 'int8' }))).toBe(true);
    expect(canBeBounded(plan({ precision: 'f16' }))).toBe(false);
    expect((await boundsOf(smallModel(), { precision: 'f16' })).areFinite).toBe(false);
    expect(canBeBounded({ ...plan({}), network: smallGraph('residual').network })).toBe(false);
  });

  it('are there of the embedded model', async () => {
    const file = (name: string): Buffer =>
      readFileSync(new URL(`../weights/scenes-vgg16/${name}`, import.meta.url));
    const network = buildNetwork(parseManifest(JSON.parse(file('manifest.json').toString())));
    const weights = await openSafetensors(
      memorySource('model.safetensors', new Uint8Array(file('model.safetensors'))),
    );
    const bounds = await boundsOf({ network, weights });
    expect(bounds.areFinite).toBe(true);
    expect(bounds.largest).toBeGreaterThan(1e17);
    expect(bounds.largest).toBeLessThan(1e20);
  });
});
