import { describe, expect, it } from 'vitest';
import { colourMaps, defaultColourMap } from '../src/kernels/maps/colour_maps';

function rgb(packed: number | undefined): number[] {
  return [0, 8, 16].map((shift) => ((packed as number) >>> shift) & 255);
}

describe('colour maps', () => {
  it.each(Object.entries(colourMaps))('%s has 256 opaque colours', (_, colours) => {
    expect(colours).toHaveLength(256);
    expect(colours.every((colour) => colour >>> 24 === 255)).toBe(true);
  });

  it('has turbo as its default', () => {
    expect(colourMaps).toHaveProperty(defaultColourMap);
    expect(defaultColourMap).toBe('turbo');
  });

  it('goes from black to white in grey', () => {
    colourMaps.grey.forEach((colour, i) => {
      expect(rgb(colour)).toEqual([i, i, i]);
    });
  });

  it('begins and ends viridis with its own colours', () => {
    expect(rgb(colourMaps.viridis[0])).toEqual([0x44, 0x01, 0x54]);
    expect(rgb(colourMaps.viridis[255])).toEqual([0xfd, 0xe7, 0x25]);
  });

  it('is pure in the thirds of jet', () => {
    expect(rgb(colourMaps.jet[0])).toEqual([0, 0, 128]);
    expect(rgb(colourMaps.jet[255])).toEqual([128, 0, 0]);
  });

  it('runs turbo from blue over green to red', () => {
    const strongest = (i: number): number => {
      const colour = rgb(colourMaps.turbo[i]);
      return colour.indexOf(Math.max(...colour));
    };
    expect([40, 128, 230].map(strongest)).toEqual([2, 1, 0]);
  });
});
