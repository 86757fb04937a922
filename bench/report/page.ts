import type { BenchFile } from '../measure/types';
export function reportPage(file: BenchFile, _document: Document): string {
  return `<pre>${JSON.stringify(file)}</pre>`;
}
