/** Serves the demo page until Ctrl-C. */
import { newCommand, parsed } from './command';
import { runCommand } from './errors';
import { parseWhole } from './option-types';
import { serveProject } from './server';

const program = newCommand('demo', 'Serves the demo and the bench to your browser.').option(
  '--port <number>',
  'port to listen on',
  '5173',
);

async function demo(signal: AbortSignal): Promise<void> {
  const port = parseWhole('--port', parsed<{ port: string }>(program).port, 1, 65535);
  const { url, server } = await serveProject([], { port, packages: ['@observablehq/plot'] });
  console.log(`The demo is at ${url}/demo/, the bench at ${url}/bench/ (Ctrl-C ends it).`);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await server.close();
}

await runCommand(demo);
