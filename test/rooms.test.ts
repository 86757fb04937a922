/** The order of the rooms under src, by the rules of .dependency-cruiser.cjs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/server';

interface Report {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string; readonly severity: string };
    }[];
  };
}

function cruise(cwd: string, ...args: string[]): Report['summary'] {
  const program = join(projectRoot, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = join(projectRoot, '.dependency-cruiser.cjs');
  const all = [program, '--config', config, '--output-type', 'json', ...args];
  const { stdout, stderr } = spawnSync(process.execPath, all, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser says: ${stdout}${stderr}`);
  return (JSON.parse(stdout) as Report).summary;
}

const told = ({ violations }: Report['summary']): string[] =>
  violations
    .filter(({ rule }) => rule.severity === 'error')
    .map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`)
    .sort();

describe('rooms', () => {
  const temp = mkdtempSync(join(tmpdir(), 'score-cam-rooms-'));

  afterAll(() => rmSync(temp, { recursive: true, force: true }));

  it('import one way, without circles', () => {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const [, ...args] = scripts['lint:rooms']?.split(' ') ?? [];
    const summary = cruise(projectRoot, ...args);
    expect(summary.totalCruised).toBeGreaterThan(300);
    expect(told(summary)).toEqual([]);
  });

  it('are told apart by the rules', () => {
    const files = {
      'tsconfig.json': '{}',
      'src/numbers/f16.ts': "import type { Gpu } from '../gpu/gpu';\nexport type Of = Gpu;",
      'src/gpu/gpu.ts': 'export type Gpu = number;',
      'src/model/network.ts':
        "import { pool } from '../kernels/layers/pool';\nexport default pool;",
      'src/kernels/layers/pool.ts':
        "import '../maps/map';\nimport '../shared/round';\nexport const pool = 1;",
      'src/kernels/maps/map.ts': "import './half';\nexport const map = 1;",
      'src/kernels/maps/half.ts': "import './map';\nexport const half = 1;",
      'src/kernels/shared/round.ts': 'export const round = 1;',
      'src/index.ts': "export const run = () => import('./single');",
      'src/single.ts': 'export const single = 1;',
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(temp, path)), { recursive: true });
      writeFileSync(join(temp, path), text);
    }
    expect(told(cruise(temp, 'src'))).toEqual([
      'kinds of kernels stand apart: src/kernels/layers/pool.ts -> src/kernels/maps/map.ts',
      expect.stringMatching(/^no circles: src\/kernels\/maps\//),
      'src/index.ts imports from above: src/index.ts -> src/single.ts',
      'src/model without src/kernels: src/model/network.ts -> src/kernels/layers/pool.ts',
      'src/numbers imports from above: src/numbers/f16.ts -> src/gpu/gpu.ts',
    ]);
  });
});
