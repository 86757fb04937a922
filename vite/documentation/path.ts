import { fileURLToPath } from 'node:url';

/** A file of the project. Not by cli/server.ts, which serves what is made here. */
export const projectFile = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));
