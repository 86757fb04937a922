import { statfsSync } from 'node:fs';
import type { Browser } from 'puppeteer';
import { findBrowser, SetupError } from '../../scripts/browser.mjs';
import { launched } from './launched';

/**
 * Flags with which headless Chrome offers WebGPU, on a GPU where there is one and on SwiftShader, its
 * software adapter, where there is none.
 */
const FLAGS = [
  '--enable-unsafe-webgpu',
  // Fills adapter.info and stops timestamps from being rounded to 100 microseconds.
  '--enable-webgpu-developer-features',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // What those leave finds no name and no way: all there is to read is on this machine, as pages of this project are.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
  '--proxy-server=127.0.0.1:9',
  '--proxy-bypass-list=127.0.0.1;localhost',
];

/** Vulkan flags for a real GPU on Linux; SCORE_CAM_GPU=1 asks for them. */
const LINUX_GPU_FLAGS = [
  '--use-angle=vulkan',
  '--enable-features=Vulkan',
  '--disable-vulkan-surface',
];

/** Containers often give 64 MiB of shared memory, too little for the buffers that go to the GPU process. */
function sharedMemoryFlags(): string[] {
  if (process.platform !== 'linux') return [];
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize < 1024 ** 3 ? ['--disable-dev-shm-usage'] : [];
  } catch {
    return ['--disable-dev-shm-usage'];
  }
}

export interface LaunchOptions {
  /** Whether puppeteer closes it at a signal; false for whoever does that itself. */
  readonly handleSignals?: boolean;
  /** Whether others may drive it, too, by its `wsEndpoint()`. Otherwise it hears nobody but this process. */
  readonly shared?: boolean;
  /** More flags. */
  readonly args?: readonly string[];
}

/**
 * Launches headless Chrome with a fresh profile and WebGPU switched on. It contacts nobody but this machine, and ends
 * with this process, however that ends.
 */
export async function launchChrome({
  handleSignals = true,
  shared = false,
  args = [],
}: LaunchOptions = {}): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath) {
    throw new SetupError('No Chrome or Chromium found: install one, or set CHROME_PATH to it.');
  }
  const asRoot = process.getuid?.() === 0;
  const wantsGpu = process.env.SCORE_CAM_GPU === '1' && process.platform === 'linux';
  return launched(
    executablePath,
    handleSignals,
    'set CHROME_PATH to a Chrome or Chromium that does',
    {
      // Chrome ends when the pipe does.
      pipe: !shared,
      args: [
        ...FLAGS,
        ...sharedMemoryFlags(),
        ...(asRoot ? ['--no-sandbox'] : []),
        ...(wantsGpu ? LINUX_GPU_FLAGS : []),
        ...args,
      ],
    },
  );
}
