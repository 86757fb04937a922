import type documentation from '../../demo/texts/en/documentation';
import { elementManifest } from '../elements';
import { codeLine, escaped, type Html, prose, raw, table } from './html';

type Texts = typeof documentation;

/** What is used of a custom elements manifest: https://github.com/webcomponents/custom-elements-manifest, 2.1. */
interface Entry {
  readonly name?: string;
  readonly type?: { readonly text: string };
  readonly default?: string;
  readonly description?: string;
}

interface Member extends Entry {
  readonly kind: string;
  readonly privacy?: string;
  readonly static?: boolean;
  readonly parameters?: readonly Entry[];
  readonly return?: { readonly type?: { readonly text: string } };
}

interface Declaration extends Entry {
  readonly customElement?: boolean;
  readonly tagName?: string;
  readonly attributes?: readonly Entry[];
  readonly members?: readonly Member[];
  readonly events?: readonly Entry[];
  readonly slots?: readonly Entry[];
  readonly cssParts?: readonly Entry[];
  readonly cssProperties?: readonly Entry[];
}

interface Manifest {
  readonly modules: readonly { readonly declarations?: readonly Declaration[] }[];
}

/** The custom element as its manifest says it. */
export function elementSection(texts: Texts, known: ReadonlySet<string>): Html {
  const { modules } = elementManifest() as Manifest;
  const elements = modules
    .flatMap(({ declarations = [] }) => declarations)
    .filter(({ customElement, tagName }) => customElement && tagName);
  return raw(elements.map((element) => sectionOf(element, texts, known)).join(''));
}

function sectionOf(element: Declaration, texts: Texts, known: ReadonlySet<string>): string {
  const { members = [] } = element;
  const isPublic = ({ privacy, static: isStatic }: Member): boolean =>
    !isStatic && (privacy ?? 'public') === 'public';
  const own = members.filter(isPublic);
  const methods = own
    .filter(({ kind }) => kind === 'method')
    .map((method) => ({
      ...method,
      name: signatureOf(method),
      type: method.return?.type ?? { text: 'void' },
    }));
  const groups: readonly (readonly [string, readonly Entry[]])[] = [
    [texts.elementAttributes, element.attributes ?? []],
    [texts.elementProperties, own.filter(({ kind }) => kind === 'field')],
    [texts.elementMethods, methods],
    [texts.elementEvents, element.events ?? []],
    [texts.elementSlots, element.slots ?? []],
    [texts.elementParts, element.cssParts ?? []],
    [texts.elementStyles, element.cssProperties ?? []],
  ];
  const tables = groups
    .filter(([, entries]) => entries.length > 0)
    .map(([title, entries]) => `<h3>${escaped(title)}</h3>${entriesTable(entries, texts, known)}`);
  const tag = `<h3><code>&lt;${escaped(element.tagName ?? '')}&gt;</code></h3>`;
  return `${tag}${prose(element.description ?? '', known)}${tables.join('')}`;
}

/** A column that no entry has anything for is left out. */
function entriesTable(entries: readonly Entry[], texts: Texts, known: ReadonlySet<string>): Html {
  const columns = [
    { head: texts.type, of: ({ type }: Entry) => type && codeLine(type.text, known) },
    { head: texts.usual, of: (entry: Entry) => entry.default && codeLine(entry.default, known) },
    {
      head: texts.description,
      of: ({ description }: Entry) => description && prose(description, known),
    },
  ].filter(({ of }) => entries.some((entry) => of(entry)));
  return table(
    [texts.name, ...columns.map(({ head }) => head)],
    entries.map((entry) => [
      // The default slot has no name.
      codeLine(entry.name || '(default)', known),
      ...columns.map(({ of }) => of(entry) || escaped('')),
    ]),
  );
}

const signatureOf = ({ name = '', parameters = [] }: Member): string =>
  `${name}(${parameters.map((each) => `${each.name}${each.type ? `: ${each.type.text}` : ''}`).join(', ')})`;
