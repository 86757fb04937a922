export type Step =
  | { kind: 'script'; file: string; args: string[] }
  | { kind: 'bin'; package: string; program: string; args: string[] };

export interface Plan {
  /** True if the command launches a browser. */
  browser: boolean;
  cwd: 'caller' | 'project';
  /** Folder whose packages it can use, beside the project's. */
  packages?: string;
  env?: Record<string, string>;
  steps: Step[];
}

export const commandNames: string[];
export function planOf(command: string, args: readonly string[]): Plan | undefined;

export interface LockFile {
  packages: Record<string, { version?: string; integrity?: string; optional?: boolean }>;
}
export function packagesMatch(lock: LockFile, installed: LockFile | undefined): boolean;

export type BrowserSource = 'apt' | 'download' | 'download-with-libraries';
export function browserSources(system: {
  platform: string;
  isRoot: boolean;
  /** Text of /etc/os-release; '' where there is none. */
  osRelease: string;
}): BrowserSource[];
export const NO_BROWSER: string;

export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}
export function testOutcome(
  counts: TestCounts | undefined,
  exitCode: number,
): { line: string; code: number };
