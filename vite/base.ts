import type { InlineConfig, PluginOption } from 'vite';
import { wgsl } from './wgsl';

/**
 * What this project's sources need of Vite, wherever it reads them: the builds (vite.config.ts), the pages that
 * commands serve (cli/server.ts), the bundle for Dawn (bench/dawn/bundle.ts) and tests (vitest.config.ts).
 * A function, since a plugin may keep the state of one build.
 */
export function plugins(): PluginOption[] {
  return [wgsl()];
}

/** A server or a build that this project's own code starts: quiet, and by no configuration file. */
export function baseConfig(root: string): InlineConfig & { readonly plugins: PluginOption[] } {
  const worker = { format: 'es', plugins } as const;
  return { root, configFile: false, logLevel: 'error', plugins: plugins(), worker };
}
