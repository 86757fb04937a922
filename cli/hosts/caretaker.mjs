// Outlives the process that started it, if that is killed, and cleans up what it can no longer: cli/hosts/own-folder.ts.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const [folder] = process.argv.slice(2);

/** Ids of the processes whose command line names the folder: nobody else's does, its name is random. */
function users() {
  const { stdout } = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' });
  return (stdout ?? '')
    .split('\n')
    .filter((line) => line.includes(folder))
    .map((line) => Number.parseInt(line, 10))
    .filter((id) => id !== process.pid);
}

// It ends with that process, however that ends.
process.stdin.resume().on('close', () => {
  for (const id of users()) {
    try {
      process.kill(id, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});
