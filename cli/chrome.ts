import puppeteer, { type Browser } from 'puppeteer';
import { findBrowser } from '../scripts/browser.mjs';

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

/** Launches headless Chrome with a fresh profile and WebGPU switched on. */
export async function launchChrome(): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath) {
    throw new Error('No Chrome or Chromium found: install one, or set CHROME_PATH to it.');
  }
  const asRoot = process.getuid?.() === 0;
  const wantsGpu = process.env.SCORE_CAM_GPU === '1' && process.platform === 'linux';
  return puppeteer.launch({
    executablePath,
    headless: true,
    protocolTimeout: 0,
    args: [...FLAGS, ...(asRoot ? ['--no-sandbox'] : []), ...(wantsGpu ? LINUX_GPU_FLAGS : [])],
  });
}
