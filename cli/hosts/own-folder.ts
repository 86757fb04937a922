import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A temporary folder for one browser or process. */
export interface OwnFolder {
  readonly path: string;
  /** Removes it. To be called once nobody uses it any more. */
  remove(): void;
}

/**
 * Makes one. If this process is killed before it has removed the folder, whoever has the folder's path on its command
 * line is killed, too, and the folder goes: a caretaker sees to it, a process in a session of its own that no Ctrl-C
 * reaches.
 */
export function ownFolder(): OwnFolder {
  const path = mkdtempSync(join(tmpdir(), 'score-cam-'));
  const caretaker = spawn(
    process.execPath,
    [fileURLToPath(new URL('caretaker.mjs', import.meta.url)), path],
    { stdio: ['pipe', 'ignore', 'ignore'], detached: true },
  );
  // Without one all is well, too, as long as nobody is killed.
  caretaker.on('error', () => {});
  caretaker.unref();
  (caretaker.stdin as unknown as { unref(): void }).unref();
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
      caretaker.kill('SIGKILL');
    },
  };
}
