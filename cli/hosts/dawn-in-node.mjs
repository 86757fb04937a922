// Gives Node navigator.gpu, by Dawn (npm `webgpu`): loaded before a script by `node --import` (cli/hosts/runtimes.ts).
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const { resolve } = createRequire(new URL('../../bench/package.json', import.meta.url));
const { create, globals } = await import(pathToFileURL(resolve('webgpu')).href);
Object.assign(globalThis, globals);
// Node 20 has no navigator, and later ones have one without `gpu`.
globalThis.navigator ??= { userAgent: `Node.js/${process.versions.node}` };
// Held for good: Dawn ends, and takes Node with it, once this is collected while its devices live.
Object.defineProperty(globalThis.navigator, 'gpu', { value: create([]) });
