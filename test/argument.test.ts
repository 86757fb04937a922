import { describe, expect, it } from 'vitest';
import { type Argument, falseConfidence, saturationOf } from '../cli/evaluation/argument';
import { argumentPlots, argumentReport } from '../cli/evaluation/argument-report';
import { explainerOf } from '../cli/evaluation/changed-model';
import { smallModel } from './harness/small-model';

const map = (channel: number, gradient: number, increase: number) => ({
  channel,
  gradient,
  increase,
});
const point = (t: number, probability: number, ofLogit: number, ofProbability: number) => ({
  t,
  probability,
  ofLogit,
  ofProbability,
});

describe('false confidence', () => {
  it("finds the seminar's example: the largest weight raises the score least", () => {
    const found = falseConfidence([map(0, 0.035, 0.1), map(1, 0.027, 0.4), map(2, 0.021, 0.5)]);
    expect(found).toMatchObject({ pairs: 3, falsePairs: 3 });
    expect(found.spearman).toBeCloseTo(-1, 12);
    expect(found.worst).toEqual([{ larger: map(0, 0.035, 0.1), smaller: map(2, 0.021, 0.5) }]);
  });

  it('finds none where the orders agree, and leaves ties out', () => {
    expect(falseConfidence([map(0, 1, 1), map(1, 2, 3), map(2, 2, 4), map(3, 5, 4)])).toMatchObject(
      {
        pairs: 4,
        falsePairs: 0,
        worst: [],
      },
    );
  });

  it('counts half of all pairs for a single exchange in the middle of four', () => {
    const found = falseConfidence([map(0, 1, 1), map(1, 2, 3), map(2, 3, 2), map(3, 4, 4)]);
    expect(found).toMatchObject({ pairs: 6, falsePairs: 1 });
    expect(found.spearman).toBeCloseTo(0.8, 12);
  });
});

describe('saturation', () => {
  it("is what the probability's gradient loses over the logit's", () => {
    const fading = saturationOf([
      point(0, 0.1, 1, 0.09),
      point(0.5, 0.5, 1, 0.25),
      point(1, 0.99, 1, 0.0099),
    ]);
    expect(fading).toMatchObject({ holds: true, peak: { t: 0.5 }, logitLeft: 1 });
    expect(fading.probabilityLeft).toBeCloseTo(0.0396, 10);
    expect(saturationOf([point(0, 0.1, 1, 0.09), point(1, 0.5, 1, 0.25)]).holds).toBe(false);
    // Both fade alike: that is no saturation of the probability.
    expect(saturationOf([point(0, 0.5, 4, 1), point(1, 0.5, 1, 0.25)]).holds).toBe(false);
  });
});

describe('the report', () => {
  const argument: Argument = {
    image: 'scene 1',
    model: 'toy',
    label: 'arrow',
    probability: 0.5,
    maps: [map(0, 0.035, 0.1), map(1, 0.027, 0.4), map(2, 0.021, 0.5)],
    saturation: [point(0, 0.1, 1, 0.09), point(0.5, 0.5, 1, 0.25), point(1, 0.99, 1, 0.0099)],
    cam: { refused: 'CAM needs a pooling head.', variant: { difference: 1e-7 } },
    discrimination: [
      { method: 'score-cam', label: 'arrow', own: 0.6, other: 0.1 },
      { method: 'grad-cam', label: 'arrow', own: 0.2, other: 0.4 },
    ],
  };

  it('says what the figures say', () => {
    const text = argumentReport(argument);
    expect(text).toContain('In 3 of 3 pairs of maps (100.0 %)');
    expect(text).toContain('| 0 | 0.0350 | 0.100 | 2 | 0.0210 | 0.500 |');
    expect(text).toContain(
      "At the whole image 4.0 % of that is left, of the logit's largest 100.0 %",
    );
    expect(text).toContain('CAM is not defined for this network. CAM needs a pooling head.');
    expect(text).toContain('there it is defined. Up to scale');
    expect(text).toContain('It does not hold for grad-cam of "arrow".');
  });

  it('owns up where the argument does not hold', () => {
    const text = argumentReport({
      ...argument,
      maps: [map(0, 1, 1), map(1, 2, 2)],
      saturation: [point(0, 0.1, 1, 0.09), point(1, 0.5, 1, 0.25)],
      cam: { difference: 1e-7 },
      discrimination: [],
    });
    expect(text).toContain('no false confidence');
    expect(text).toContain('does not saturate');
    expect(text).toContain('the same map, as the Grad-CAM paper proves');
    expect(text).toContain('No boxes are known');
  });

  it('has plots of all maps and strengths', () => {
    const plots = argumentPlots(argument);
    expect(plots['weights.svg']?.match(/<circle/g)).toHaveLength(3);
    expect(plots['saturation.svg']).toContain('gradient of the probability');
  });
});

it('a model that cannot be changed has its weights closed', async () => {
  let closed = 0;
  const { weights, ...model } = smallModel();
  const close = async (): Promise<void> => {
    closed++;
  };
  const refuse = (): never => {
    throw new Error('not this one');
  };
  const opened = explainerOf({ ...model, weights: { ...weights, close } }, refuse);
  await expect(opened).rejects.toThrow('not this one');
  expect(closed).toBe(1);
});
