/** A Slurm cluster of this one machine, in a folder of its own, with neither munge nor a configuration in /etc. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { availableParallelism, hostname } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PROGRAMS = ['slurmctld', 'slurmd', 'sbatch', 'squeue', 'scontrol', 'sinfo'];

/** Why there can be none, if so. */
export function slurmLacks(): string | undefined {
  if (process.getuid?.() !== 0) return 'its daemons are started by root only';
  const folders = (process.env.PATH ?? '').split(delimiter);
  const missing = PROGRAMS.filter((name) => !folders.some((at) => existsSync(join(at, name))));
  return missing.length > 0 ? `${missing.join(', ')} not installed (Debian: slurm-wlm)` : undefined;
}

export class Slurm {
  /** For its commands. */
  readonly env: NodeJS.ProcessEnv;
  private readonly daemons: readonly ChildProcess[];

  private constructor(env: NodeJS.ProcessEnv, daemons: readonly ChildProcess[]) {
    this.env = env;
    this.daemons = daemons;
  }

  static async start(folder: string): Promise<Slurm> {
    for (const name of ['state', 'spool']) mkdirSync(join(folder, name), { recursive: true });
    const [controller, node] = [await freePort(), await freePort()];
    const host = hostname().split('.')[0];
    const config = join(folder, 'slurm.conf');
    writeFileSync(
      config,
      [
        'ClusterName=one',
        `SlurmctldHost=${host}(127.0.0.1)`,
        `SlurmctldPort=${controller}`,
        `SlurmdPort=${node}`,
        'SlurmUser=root',
        'AuthType=auth/none',
        'CredType=cred/none',
        `StateSaveLocation=${join(folder, 'state')}`,
        `SlurmdSpoolDir=${join(folder, 'spool')}`,
        `SlurmctldPidFile=${join(folder, 'slurmctld.pid')}`,
        `SlurmdPidFile=${join(folder, 'slurmd.pid')}`,
        'ProctrackType=proctrack/linuxproc',
        'TaskPlugin=task/none',
        'MpiDefault=none',
        'ReturnToService=2',
        'SelectType=select/cons_tres',
        'SelectTypeParameters=CR_CPU',
        `NodeName=${host} NodeAddr=127.0.0.1 CPUs=${availableParallelism()} State=UNKNOWN`,
        `PartitionName=all Nodes=${host} Default=YES MaxTime=INFINITE State=UP`,
        '',
      ].join('\n'),
    );
    const env = { ...process.env, SLURM_CONF: config };
    const daemon = (name: string): ChildProcess => {
      const log = openSync(join(folder, `${name}.log`), 'w');
      const child = spawn(name, ['-D', '-f', config], { env, stdio: ['ignore', log, log] });
      closeSync(log);
      return child;
    };
    const slurm = new Slurm(env, [daemon('slurmctld'), daemon('slurmd')]);
    while (!/idle/.test(slurm.run('sinfo', '--noheader', '--format=%T'))) {
      const ended = slurm.daemons.find(({ exitCode }) => exitCode !== null);
      if (ended) {
        await slurm.stop();
        const log = readFileSync(join(folder, `${ended.spawnfile}.log`), 'utf8');
        throw new Error(`${ended.spawnfile} ended: ${log.slice(-1000)}`);
      }
      await sleep(500);
    }
    return slurm;
  }

  /** What a command says; nothing while the controller does not answer yet. */
  run(program: string, ...args: string[]): string {
    try {
      return execFileSync(program, args, { env: this.env, encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      return String((error as { stdout?: string }).stdout ?? '');
    }
  }

  /** States of all jobs that it has not forgotten, a line each: `12_3 RUNNING`. */
  jobs(): string[] {
    const list = this.run('squeue', '--noheader', '--array', '--states=all', '--format=%i %T');
    return list.split('\n').filter(Boolean);
  }

  async stop(): Promise<void> {
    for (const daemon of this.daemons) daemon.kill('SIGTERM');
    await Promise.all(
      this.daemons.map(
        (daemon) => daemon.exitCode ?? new Promise((resolve) => daemon.once('exit', resolve)),
      ),
    );
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
