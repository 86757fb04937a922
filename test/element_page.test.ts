/** docs/element.md says of the element what custom-elements.json does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CustomElementDeclaration } from 'custom-elements-manifest/schema';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/server';
import { ScoreCamElement } from '../src/element';
import { en } from '../src/element/strings/en';
import { ko } from '../src/element/strings/ko';
import { elementManifest } from '../vite/elements';

interface Described {
  readonly name: string;
  readonly description?: string;
}

describe('the page of the element', () => {
  const text = readFileSync(join(projectRoot, 'docs/element.md'), 'utf8');
  const element = elementManifest().modules[0]?.declarations?.[0] as CustomElementDeclaration;
  const {
    attributes = [],
    members = [],
    events = [],
    slots = [],
    cssParts = [],
    cssProperties = [],
  } = element;
  const fields = members.filter(
    ({ kind, name }) => kind === 'field' && !attributes.some(({ fieldName }) => fieldName === name),
  );
  const methods = members.filter(({ kind }) => kind === 'method');

  const rowsUnder = (head: string): string[] => {
    const [, table = ''] = text.split(`| ${head} | |\n|---|---|\n`);
    const [rows = ''] = table.split('\n\n');
    return rows.trim().split('\n');
  };
  const row = ({ name, description = '' }: Described): string => `| \`${name}\` | ${description} |`;

  it.each<[string, readonly Described[]]>([
    ['attribute', attributes],
    ['property', fields],
    ['method', methods.map((method) => ({ ...method, name: `${method.name}()` }))],
    ['event', events],
    ['slot', slots.map((slot) => ({ ...slot, name: slot.name || '(none)' }))],
    ['part', cssParts],
    ['custom property', cssProperties],
  ])('has every %s', (head, described) => {
    expect(described.length).toBeGreaterThan(1);
    expect(rowsUnder(head)).toEqual(described.map(row));
  });

  it('has the attributes that the element observes', () => {
    // These are every element's.
    const observed = ScoreCamElement.observedAttributes.filter(
      (name) => !/^(class|lang)$/.test(name),
    );
    const known = attributes.map(({ name }) => name);
    expect([...observed].sort()).toEqual(known.sort());
  });

  it('is of parts that there are', () => {
    const source = readFileSync(join(projectRoot, 'src/element/view.ts'), 'utf8');
    const parts = [...source.matchAll(/\bpart: '([^']+)'/g)].flatMap(([, names]) =>
      names?.split(' '),
    );
    expect([...new Set(parts)].sort()).toEqual(cssParts.map(({ name }) => name).sort());
    const css = readFileSync(join(projectRoot, 'src/element/style.css'), 'utf8');
    const properties = [...css.matchAll(/var\((--score-cam-[\w-]+)/g)].map(([, name]) => name);
    expect([...new Set(properties)].sort()).toEqual(cssProperties.map(({ name }) => name).sort());
  });
});

describe('texts of the element', () => {
  const namesIn = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

  it('have the same gaps in every language', () => {
    expect(Object.keys(ko).sort()).toEqual(Object.keys(en).sort());
    for (const [name, text] of Object.entries(en)) {
      const other = ko[name as keyof typeof ko];
      if (typeof text === 'string') expect(namesIn(other as string), name).toEqual(namesIn(text));
    }
    expect(ko.browsers).toHaveLength(en.browsers.length);
  });

  it('name the classes of the embedded model in Korean', () => {
    const path = join(projectRoot, 'weights/scenes-vgg16/manifest.json');
    const { labels } = JSON.parse(readFileSync(path, 'utf8')) as { labels: string[] };
    expect(Object.keys(ko.labels).sort()).toEqual([...labels].sort());
  });
});
