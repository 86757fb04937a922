import { afterEach, expect, it, vi } from 'vitest';
import { requestAdapter } from '../src/gpu/gpu';

afterEach(() => vi.unstubAllGlobals());

/** A browser whose WebGPU answers so when it is asked for an adapter. */
const browser = (requestAdapter: () => Promise<null>) =>
  vi.stubGlobal('navigator', { gpu: { requestAdapter } });

it('an adapter that is refused by rejection, as in Firefox 140, is told with the reason', async () => {
  const text = 'WebGPU is not yet available in Release or late Beta builds.';
  const cause = new DOMException(text, 'NotSupportedError');
  browser(() => Promise.reject(cause));
  const refused = requestAdapter();
  await expect(refused).rejects.toMatchObject({ name: 'ScoreCamError', code: 'no-adapter', cause });
  await expect(refused).rejects.toThrow(`offers no adapter (NotSupportedError: ${text}). Turn on`);
});

it('an adapter that is null is told without one', async () => {
  browser(async () => null);
  const refused = requestAdapter();
  await expect(refused).rejects.toMatchObject({ name: 'ScoreCamError', code: 'no-adapter' });
  await expect(refused).rejects.toThrow('offers no adapter. Turn on hardware acceleration');
});

it('without WebGPU, that is told', async () => {
  vi.stubGlobal('navigator', {});
  await expect(requestAdapter()).rejects.toMatchObject({ code: 'no-webgpu' });
});
