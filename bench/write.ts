import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseHTML } from 'linkedom';
import { CliError } from '../cli/errors';
import type { BenchFile } from './measure/types';
import { reportPage } from './report/page';

/** Where the report goes unless it is said: beside the JSON. */
export function reportBeside(out: string): string {
  return `${out.replace(/\.json$/i, '')}.html`;
}

/** Writes the results and their report; says where. */
export function writeResults(file: BenchFile, out: string, report = reportBeside(out)): void {
  writeJson(out, file);
  writeReport(file, report);
  console.log(`\nResults: ${out}\nReport:  ${report}`);
}

export function writeJson(path: string, figures: object): void {
  writeText(path, `${JSON.stringify(figures, null, 1)}\n`);
}

export function writeReport(file: BenchFile, report: string): void {
  const { document } = parseHTML('<html><body></body></html>');
  writeText(report, reportPage(file, document));
}

export function writeText(path: string, text: string): void {
  try {
    mkdirSync(dirname(resolve(path)), { recursive: true });
    writeFileSync(path, text);
  } catch (error) {
    throw new CliError(`${path} cannot be written: ${(error as Error).message}`);
  }
}
