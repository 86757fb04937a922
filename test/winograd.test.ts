import { describe, expect, it } from 'vitest';
import { winogradFilterBytes } from '../src/kernels/winograd/winograd';
import { chooseConv } from '../src/plan/conv_choice';

describe('Winograd', () => {
  const choosesWinograd = (...of: Parameters<typeof chooseConv>) =>
    chooseConv(...of).kind === 'winograd';

  const shape = { inChannels: 64, outChannels: 64, height: 56, width: 56, kernel: 3 } as const;
  const software = { isFallback: true };

  it('wants a software adapter, 3x3 and eight input channels', () => {
    expect(choosesWinograd(shape, software)).toBe(true);
    expect(choosesWinograd({ ...shape, kernel: 1 }, software)).toBe(false);
    expect(choosesWinograd({ ...shape, inChannels: 8 }, software)).toBe(true);
    expect(choosesWinograd({ ...shape, inChannels: 7 }, software)).toBe(false);
  });

  it('wants filters that any device can bind, 128 MiB', () => {
    const most = { ...shape, inChannels: 910, outChannels: 1024 };
    expect(winogradFilterBytes(most)).toBe(36 * 910 * 1024 * 4);
    expect(choosesWinograd(most, software)).toBe(true);
    expect(choosesWinograd({ ...most, inChannels: 911 }, software)).toBe(false);
  });
});
