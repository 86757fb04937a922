/** The documentation as a page: what the sources say of themselves, in the site's frame. */
import { readFileSync } from 'node:fs';
import { LANGUAGES, type Language } from '../../demo/language';
import enTexts from '../../demo/texts/en/documentation';
import enExplain from '../../demo/texts/en/explain';
import enShell from '../../demo/texts/en/shell';
import koTexts from '../../demo/texts/ko/documentation';
import koExplain from '../../demo/texts/ko/explain';
import koShell from '../../demo/texts/ko/shell';
import { type ApiItem, readApi } from './api';
import { elementSection } from './element';
import { codeBlock, codeLine, escaped, type Html, prose, raw } from './html';
import { methodsSection, optionsSection } from './methods';
import { projectFile } from './path';

const TEXTS = {
  en: { texts: enTexts, shell: enShell, explain: enExplain },
  ko: { texts: koTexts, shell: koShell, explain: koExplain },
} as const;

interface Section {
  /** In addresses, in every language. */
  readonly id: string;
  readonly title: string;
  readonly html: Html;
}

/** The page in every language. @param pages its file in each */
export function documentationPages(
  pages: Readonly<Record<Language, string>>,
): Readonly<Record<Language, string>> {
  const [api = [], evaluation = []] = readApi(['src/index.ts', 'src/evaluation/index.ts']);
  return {
    en: pageIn('en', pages, api, evaluation),
    ko: pageIn('ko', pages, api, evaluation),
  };
}

function pageIn(
  language: Language,
  pages: Readonly<Record<Language, string>>,
  api: readonly ApiItem[],
  evaluation: readonly ApiItem[],
): string {
  const { texts, shell, explain } = TEXTS[language];
  const known = new Set([...api, ...evaluation].map(({ name }) => name));
  const sections: readonly Section[] = [
    { id: 'start', title: texts.start, html: startSection(known) },
    { id: 'element', title: texts.element, html: elementSection(texts, known) },
    { id: 'methods', title: texts.methods, html: methodsSection(texts, explain.summaryOf) },
    { id: 'options', title: texts.options, html: optionsSection(texts) },
    { id: 'api', title: texts.api, html: apiSection(api, texts, known) },
    {
      id: 'evaluation',
      title: texts.evaluation,
      html: apiSection(
        evaluation.filter(({ name }) => !api.some((item) => item.name === name)),
        texts,
        known,
      ),
    },
  ];
  const contents = sections.map(
    ({ id, title }) => `<li><a href="#${id}">${escaped(title)}</a></li>`,
  );
  const body = sections.map(
    ({ id, title, html }) =>
      `<section aria-labelledby="${id}"><h2 id="${id}">${escaped(title)}</h2>${html}</section>`,
  );
  const note = texts.fromSources ? ` ${texts.fromSources}` : '';
  return `<!doctype html>
<html lang="${language}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${escaped(`${texts.title} · ${shell.title}`)}</title>
    <link rel="icon" href="./icon.svg" />
    <link rel="stylesheet" href="./style.css" />
    <link rel="stylesheet" href="./site.css" />
    <script type="module" src="./documentation.ts"></script>
  </head>
  <body>
    <a class="skip" href="#view">${escaped(shell.skip)}</a>
    ${header(language, pages)}
    <main id="view" class="documentation" tabindex="-1">
      <header><h1>${escaped(texts.title)}</h1><p>${escaped(texts.lead + note)}</p></header>
      <nav aria-label="${escaped(texts.contents)}"><ul>${contents.join('')}</ul></nav>
      ${body.join('\n')}
    </main>
  </body>
</html>
`;
}

/** As the shell (demo/shell.ts) has it. */
function header(language: Language, pages: Readonly<Record<Language, string>>): string {
  const { texts, shell } = TEXTS[language];
  const home = (view: string): string => `./index.html#lang=${language}&amp;view=${view}`;
  const views = Object.entries(shell.views).map(
    ([name, title]) => `<li><a href="${home(name)}">${escaped(title)}</a></li>`,
  );
  const own = `<li><a href="./${pages[language]}" aria-current="page">${escaped(texts.title)}</a></li>`;
  const languages = (Object.keys(LANGUAGES) as Language[]).map((other) => {
    const current = other === language ? ' aria-current="true"' : '';
    return `<li><a href="./${pages[other]}" lang="${other}" hreflang="${other}"${current}>${LANGUAGES[other]}</a></li>`;
  });
  return `<header class="site">
      <a class="brand" href="${home('explain')}">Score-CAM</a>
      <nav aria-label="${escaped(shell.navigation)}"><ul>${views.join('')}${own}</ul></nav>
      <nav class="languages" aria-label="${escaped(shell.language)}"><ul>${languages.join('')}</ul></nav>
      <button id="dark" type="button" class="quiet" hidden>${escaped(shell.dark)}</button>
    </header>`;
}

/** The comment at the head of src/index.ts: what the library is, and its shortest use. */
function startSection(known: ReadonlySet<string>): Html {
  const source = readFileSync(projectFile('src/index.ts'), 'utf8');
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(source)?.[1] ?? '';
  const lines = comment.split('\n').map((line) => line.replace(/^ \* ?/, ''));
  const blocks = lines
    .join('\n')
    .replace(/@module[\s\S]*/, '')
    .split(/\n{2,}/);
  return raw(
    blocks
      .map((block) =>
        /^ {2}/.test(block) ? codeBlock(block.replace(/^ {2}/gm, ''), known) : prose(block, known),
      )
      .join(''),
  );
}

function apiSection(
  items: readonly ApiItem[],
  texts: (typeof TEXTS)[Language]['texts'],
  known: ReadonlySet<string>,
): Html {
  const kinds = Object.keys(texts.kinds) as ApiItem['kind'][];
  return raw(
    kinds
      .flatMap((kind) => {
        const own = items.filter((item) => item.kind === kind);
        return own.length > 0
          ? [`<h3>${escaped(texts.kinds[kind])}</h3>`, ...own.map((item) => apiItem(item, known))]
          : [];
      })
      .join('\n'),
  );
}

function apiItem({ name, code, text, members }: ApiItem, known: ReadonlySet<string>): string {
  // What it is called is no link to itself.
  const others = new Set([...known].filter((other) => other !== name));
  const own = members.map(
    (member) => `<dt>${codeLine(member.code, others)}</dt><dd>${prose(member.text, others)}</dd>`,
  );
  const list = own.length > 0 ? `<dl>${own.join('')}</dl>` : '';
  return `<article><h4 id="${name}" lang="en"><code>${name}</code></h4>${prose(text, others)}${codeBlock(code, others)}${list}</article>`;
}
