import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { launchChrome } from '../../cli/hosts/chrome';
import { projectRoot, serveProject } from '../../cli/server';
import type { ImplementationName } from './case';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Address of the local server that serves the project to the browser. */
    baseUrl: string;
    browserEndpoint: string;
    /** Folder with the reference data, or '' where it is absent (tests that need it skip). */
    sharedFolder: string;
    /** Where test/gpu.test.ts runs its cases, by the vitest project. */
    implementation: ImplementationName;
    /** Whether it runs all of them, or those that it usually does. */
    everywhere: boolean;
  }
}

/** One local server and one headless Chrome for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = process.env.SCORE_CAM_SHARED ?? resolve(projectRoot, '../shared');
  const sharedFolder = existsSync(resolve(shared, 'golden')) ? shared : '';
  const { url, close } = await serveProject(sharedFolder ? [sharedFolder] : []);
  const browser = await launchChrome({ shared: true });
  project.provide('baseUrl', url);
  project.provide('browserEndpoint', browser.wsEndpoint());
  project.provide('sharedFolder', sharedFolder);
  if (!sharedFolder) console.log('Reference data absent: the tests that compare with it skip.');
  return async () => {
    await browser.close();
    await close();
  };
}
