/** Serves the demo page until Ctrl-C. */
import { parseArgs } from 'node:util';
import { runCommand, usageError } from './errors';
import { serveProject } from './server';

async function demo(signal: AbortSignal): Promise<void> {
  const port = askedPort();
  const { url, server } = await serveProject([], { port, packages: ['@observablehq/plot'] });
  console.log(`The demo is at ${url}/demo/, the bench at ${url}/bench/ (Ctrl-C ends it).`);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await server.close();
}

function askedPort(): number {
  try {
    const { port } = parseArgs({ options: { port: { type: 'string', default: '5173' } } }).values;
    if (/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65535) return Number(port);
  } catch {
    // An unknown option: the same sentence tells what there is.
  }
  throw usageError('The demo takes one option: --port NUMBER, from 1 to 65535.');
}

await runCommand(demo);
