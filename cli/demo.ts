/** Serves the demo page until Ctrl-C. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newCommand, parsed } from './command';
import { runCommand } from './errors';
import { parseWhole } from './option-types';
import { projectRoot, randomToken, serveProject } from './server';

const program = newCommand('demo', 'Serves the demo and the bench to your browser.').option(
  '--port <number>',
  'port to listen on',
  '5173',
);

async function demo(signal: AbortSignal): Promise<void> {
  const port = parseWhole('--port', parsed<{ port: string }>(program).port, 1, 65535);
  const packages = ['@observablehq/plot'];
  const { url, close } = await serveProject([], { port, packages, token: keptToken() });
  console.log(`The demo is at ${url}/demo/, the bench at ${url}/bench/ (Ctrl-C ends it).`);
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
    // Where it was ended while the server started.
    if (signal.aborted) resolve();
  });
  await close();
}

/** The same at each start, as bookmarks and the browser, which keeps models by their address, want it. */
function keptToken(): string {
  const file = join(projectRoot, 'node_modules/.cache/score-cam-demo-token');
  try {
    const kept = readFileSync(file, 'utf8');
    if (/^[0-9a-f]{32}$/.test(kept)) return kept;
  } catch {
    // The first start.
  }
  const token = randomToken();
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, token, { mode: 0o600 });
  } catch {
    // Where nothing can be written, it is another one each time.
  }
  return token;
}

await runCommand(demo);
