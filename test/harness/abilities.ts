import { requestAdapter } from '../../src/gpu/gpu';

/** What a host of JavaScript can do beside WebGPU, and some cannot; each is tried. */
const ABILITIES = {
  /** A canvas to draw on in two dimensions. */
  canvas: () => new OffscreenCanvas(1, 1).getContext('2d') !== null,
  document: () => document.body !== null,
  /** The browser's storage for answers of the network. */
  caches: () => caches !== undefined,
  /** An address that '/path' is relative to. */
  location: () => location.href !== '',
};

export type Ability = keyof typeof ABILITIES;

/** Features of the adapter, and abilities of the JavaScript that this runs in; a sentence where there is no adapter. */
export async function whatThereIs(): Promise<string[] | string> {
  try {
    const { features } = await requestAdapter();
    const abilities = Object.entries(ABILITIES).filter(([, has]) => succeeds(has));
    return [...features, ...abilities.map(([name]) => name)];
  } catch (error) {
    return `no adapter: ${error instanceof Error ? error.message : error}`;
  }
}

/** What is missing altogether throws when it is named. */
function succeeds(has: () => boolean): boolean {
  try {
    return has();
  } catch {
    return false;
  }
}
