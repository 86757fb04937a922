/**
 * The colour maps of the overlay: 256 RGBA8 colours each, packed as r | g << 8 | b << 16 | a << 24.
 */

export type ColourMapName = 'turbo' | 'viridis' | 'magma' | 'jet' | 'grey';

export const defaultColourMap: ColourMapName = 'turbo';

type Colour = readonly [red: number, green: number, blue: number];

/** 256 colours from a function on [0, 1] with components in [0, 1] (clamped). */
function table(colour: (t: number) => Colour): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const [r, g, b] = colour(i / 255).map((component) =>
      Math.round(255 * Math.min(Math.max(component, 0), 1)),
    ) as [number, number, number];
    return (r | (g << 8) | (b << 16) | (255 << 24)) >>> 0;
  });
}

/** Value at t of a polynomial with ascending coefficients. */
function polynomial(coefficients: readonly number[], t: number): number {
  return coefficients.reduceRight((value, coefficient) => value * t + coefficient, 0);
}

/**
 * Turbo (Anton Mikhailov, Google, 2019) by the polynomial that Ruofei Du fitted to it.
 * Coefficients: https://gist.github.com/mikhailov-work/0d177465a8151eb6ede1768d51d476c7
 * Copyright 2019 Google LLC, Apache-2.0.
 */
function turbo(t: number): Colour {
  return [
    polynomial([0.13572138, 4.6153926, -42.66032258, 132.13108234, -152.94239396, 59.28637943], t),
    polynomial([0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604], t),
    polynomial([0.1066733, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973], t),
  ];
}

/** Equidistant colours of viridis and magma (Nathaniel Smith and Stéfan van der Walt, matplotlib; CC0). */
const viridisStops = [
  0x440154, 0x472d7b, 0x3b528b, 0x2c728e, 0x21918c, 0x28ae80, 0x5ec962, 0xaddc30, 0xfde725,
] as const;

const magmaStops = [
  0x000004, 0x1d1147, 0x51127c, 0x832681, 0xb73779, 0xe75263, 0xfc8961, 0xfec488, 0xfcfdbf,
] as const;

/** Colours joined linearly. */
function joined(stops: readonly number[], t: number): Colour {
  const position = t * (stops.length - 1);
  const low = Math.min(Math.floor(position), stops.length - 2);
  const component = (shift: number): number => {
    const from = ((stops[low] as number) >> shift) & 255;
    const to = ((stops[low + 1] as number) >> shift) & 255;
    return (from + (to - from) * (position - low)) / 255;
  };
  return [component(16), component(8), component(0)];
}

/** The piecewise linear jet: three trapezoids with centres 3/4 (red), 1/2 (green) and 1/4 (blue). */
function jet(t: number): Colour {
  const trapezoid = (centre: number): number => 1.5 - Math.abs(4 * (t - centre));
  return [trapezoid(0.75), trapezoid(0.5), trapezoid(0.25)];
}

export const colourMaps: Readonly<Record<ColourMapName, Uint32Array>> = {
  turbo: table(turbo),
  viridis: table((t) => joined(viridisStops, t)),
  magma: table((t) => joined(magmaStops, t)),
  jet: table(jet),
  grey: table((t) => [t, t, t]),
};
