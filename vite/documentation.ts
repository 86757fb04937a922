import { basename } from 'node:path';
import type { Plugin } from 'vite';
import type { Language } from '../demo/language';

/** The documentation's page in each language, beside demo/index.html. */
export const DOCUMENTATION_PAGES: Readonly<Record<Language, string>> = {
  en: 'documentation.html',
  ko: 'documentation.ko.html',
};

const languageOf = (path: string): Language | undefined =>
  (Object.keys(DOCUMENTATION_PAGES) as Language[]).find(
    (language) => basename(path) === DOCUMENTATION_PAGES[language],
  );

/**
 * Pages that are in no folder: made from the sources when a build, or a browser, asks for them. What makes them is
 * loaded then.
 */
export function documentation(): Plugin {
  const make = async (): Promise<Readonly<Record<Language, string>>> =>
    (await import('./documentation/page')).documentationPages(DOCUMENTATION_PAGES);
  /** Of a build, which asks for one page after another; a server makes them anew each time. */
  let made: ReturnType<typeof make> | undefined;
  return {
    name: 'documentation',
    resolveId: (id) => (languageOf(id) ? id : undefined),
    async load(id) {
      const language = languageOf(id);
      if (!language) return undefined;
      made ??= make();
      return (await made)[language];
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const [path = ''] = (request.url ?? '').split(/[?#]/);
        const language = languageOf(path);
        if (!language) return next();
        make()
          .then((pages) => server.transformIndexHtml(`/demo/${basename(path)}`, pages[language]))
          .then((html) => {
            response.setHeader('content-type', 'text/html; charset=utf-8');
            response.end(html);
          }, next);
      });
    },
  };
}
