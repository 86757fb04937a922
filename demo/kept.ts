import { forgetLoaded } from './loaded-before';

/** Bytes that this site keeps in the browser, mostly networks; undefined where the browser does not say. */
export async function keptBytes(): Promise<number | undefined> {
  return (await navigator.storage?.estimate?.())?.usage;
}

/** Removes every network that was kept. */
export async function removeKept(): Promise<void> {
  forgetLoaded();
  // The name that browserCache() has by default.
  if (typeof caches !== 'undefined') await caches.delete('score-cam-webgpu');
}
