import { statfsSync } from 'node:fs';
import type { Browser } from 'puppeteer';
import { findBrowser, SetupError } from '../../scripts/browser.mjs';

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

/**
 * Launches headless Chrome with a fresh profile and WebGPU switched on. Whoever handles signals and
 * closes the browser itself passes `handleSignals: false`.
 */
export async function launchChrome({ handleSignals = true } = {}): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath) {
    throw new SetupError('No Chrome or Chromium found: install one, or set CHROME_PATH to it.');
  }
  // Loaded here, so that a mistake on the command line is told at once.
  const { default: puppeteer } = await import('puppeteer');
  const asRoot = process.getuid?.() === 0;
  const wantsGpu = process.env.SCORE_CAM_GPU === '1' && process.platform === 'linux';
  try {
    return await puppeteer.launch({
      executablePath,
      headless: true,
      protocolTimeout: 0,
      handleSIGINT: handleSignals,
      handleSIGTERM: handleSignals,
      handleSIGHUP: handleSignals,
      args: [
        ...FLAGS,
        ...sharedMemoryFlags(),
        ...(asRoot ? ['--no-sandbox'] : []),
        ...(wantsGpu ? LINUX_GPU_FLAGS : []),
      ],
    });
  } catch (cause) {
    throw new SetupError(
      `The browser ${executablePath} did not start: set CHROME_PATH to a Chrome or Chromium that does. ` +
        `It says: ${String(cause).slice(0, 400)}`,
      { cause },
    );
  }
}
