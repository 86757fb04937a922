import { readFileSync } from 'node:fs';
import * as analyzer from '@custom-elements-manifest/analyzer';
import type {
  Attribute,
  ClassMember,
  CustomElementDeclaration,
  Package,
} from 'custom-elements-manifest/schema';
import type TypeScript from 'typescript';
import { projectFile } from './documentation/path';

/*
 * custom-elements.json (https://github.com/webcomponents/custom-elements-manifest): what editors and documentation know of
 * <score-cam>, read from its sources.
 */

/** What the package exports besides what its types say. */
const { create, ts } = analyzer as unknown as {
  create(options: {
    readonly modules: readonly TypeScript.SourceFile[];
    readonly plugins: readonly [];
    readonly context: { readonly dev: boolean };
  }): Package;
  /** Its own: kinds of nodes are numbered otherwise in every version. */
  readonly ts: typeof TypeScript;
};

/** Its class, and the one that has its attributes: each of whose fields reflects the attribute of its name. */
const SOURCES = { element: 'src/element/score-cam.ts', attributes: 'src/element/attributes.ts' };

const MODULE = 'dist/element.js';

export function elementManifest(): Package {
  const modules = Object.values(SOURCES).map((path) =>
    ts.createSourceFile(
      path,
      readFileSync(projectFile(path), 'utf8'),
      ts.ScriptTarget.ES2022,
      true,
    ),
  );
  const found = create({ modules, plugins: [], context: { dev: false } });
  const classOf = (source: string): CustomElementDeclaration => {
    const { declarations = [] } = found.modules.find(({ path }) => path === source) ?? {};
    const own = declarations.find(({ kind }) => kind === 'class');
    if (!own) throw new Error(`${source} declares no class.`);
    return own as CustomElementDeclaration;
  };
  const element = classOf(SOURCES.element);
  const fields = (classOf(SOURCES.attributes).members ?? []).filter(isPublic);
  const attributes: Attribute[] = fields.map((field) => {
    const { name, type, description } = field as ClassMember & Attribute;
    return {
      name: attributeOf(name),
      fieldName: name,
      type: type ?? { text: 'string' },
      description: oneLine(description),
    };
  });
  const own = (element.members ?? []).filter(
    (member) => isPublic(member) && !fields.some(({ name }) => name === member.name),
  );
  return {
    schemaVersion: '2.1.0',
    modules: [
      {
        kind: 'javascript-module',
        path: MODULE,
        declarations: [
          {
            kind: 'class',
            customElement: true,
            tagName: 'score-cam',
            name: element.name,
            description: element.description ?? '',
            superclass: { name: 'HTMLElement' },
            attributes,
            members: [
              ...fields.map((field) => ({
                ...field,
                description: oneLine(field.description),
                attribute: attributeOf(field.name),
                reflects: true,
              })),
              ...own.map((member) => ({ ...member, description: oneLine(member.description) })),
            ] as ClassMember[],
            // One that is dispatched by a variable's name is none.
            events: (element.events ?? []).filter(({ name, description }) => name && description),
            slots: element.slots ?? [],
            cssParts: element.cssParts ?? [],
            cssProperties: element.cssProperties ?? [],
          },
        ],
        exports: [
          { kind: 'js', name: element.name, declaration: { name: element.name, module: MODULE } },
          {
            kind: 'custom-element-definition',
            name: 'score-cam',
            declaration: { name: element.name, module: MODULE },
          },
        ],
      },
    ],
  };
}

const isPublic = ({ name, privacy }: ClassMember): boolean =>
  !name.startsWith('#') && privacy !== 'private' && !/Callback$|^observedAttributes$/.test(name);

/** `colourMap` is `colour-map`. */
const attributeOf = (property: string): string =>
  property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const oneLine = (text = ''): string => text.replace(/\s+/g, ' ');
