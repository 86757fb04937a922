import { readFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { linkRegistry, parseSrcModule, type WeslAST } from 'wesl/core';
import type { Declaration, Interface } from '../src/gpu/kernel';
import { isDirective } from '../src/gpu/shader_text';
import { topLevelOf } from './declarations';
import { interfaceOf } from './reflect';

/*
 * Links one variant of a kernel: what its .wgsl file imports, in WESL's syntax (https://wesl-lang.dev), is put together
 * with it into plain WGSL, cut into declarations that know the line of the source they come from.
 */

/** Sizes that the host decides when it makes a pipeline: `import constants::{ROWS, COLS};` */
const CONSTANTS = [
  'ROWS',
  'COLS',
  'LANES',
  'UNIT_M',
  'UNIT_N',
  'UNIT_K',
  'SIDES',
  'GROUPS',
  'HIGH',
  'WIDE',
  'DEPTH',
];

/** What Chromium's matrix units bring, which WESL does not know: `import chromium::{subgroupMatrixLoad};` */
const CHROMIUM = [
  'subgroup_matrix_left',
  'subgroup_matrix_right',
  'subgroup_matrix_result',
  'subgroupMatrixLoad',
  'subgroupMatrixStore',
  'subgroupMatrixMultiplyAccumulate',
  'row_major',
  'col_major',
];

/** Modules whose declarations only stand for what others declare; they are not part of a shader's text. */
const STAND_INS: Readonly<Record<string, string>> = {
  constants: CONSTANTS.map((name) => `const ${name} = 1u;`).join('\n'),
  chromium: CHROMIUM.map((name) => `fn ${name}() {}`).join('\n'),
};

const MAIN = 'package::main';

export interface Linked extends Interface {
  /** Directives first. */
  readonly text: readonly Declaration[];
}

/** Parsed texts by path: a shared module is parsed once for all that import it. */
const parsed = new Map<string, { readonly text: string; readonly ast: WeslAST }>();

function moduleOf(modulePath: string, path: string, text: string): WeslAST {
  const known = parsed.get(path);
  if (known?.text === text) return known.ast;
  const ast = parseSrcModule(
    { modulePath, debugFilePath: path, src: text },
    { keepComments: false },
  );
  parsed.set(path, { text, ast });
  return ast;
}

/**
 * @param file of the kernel
 * @param root the folder that `package::` means
 * @param conditions for `@if(...)`; others are false
 * @param used gets the path of every file read
 */
export function linkKernel(
  file: string,
  root: string,
  conditions: Readonly<Record<string, boolean>>,
  used: (path: string) => void,
): Linked {
  // What a kernel imports may import from it in turn: by the name that both know. One elsewhere has none.
  const inside = relative(root, file).split(sep);
  const own = inside[0] === '..' ? MAIN : ['package', ...inside].join('::').replace(/\.wgsl$/, '');
  const resolveModule = (modulePath: string): WeslAST | undefined => {
    const standIn = STAND_INS[modulePath];
    if (standIn !== undefined) return moduleOf(modulePath, modulePath, standIn);
    const [start, ...folders] = modulePath.split('::');
    if (start !== 'package') return undefined;
    const path = modulePath === own ? file : `${join(root, ...folders)}.wgsl`;
    try {
      const ast = moduleOf(modulePath, path, readFileSync(path, 'utf8'));
      used(path);
      return ast;
    } catch (error) {
      // The name of something in a module is looked up as a module too.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };
  const linked = linkRegistry({
    resolver: { resolveModule },
    rootModuleName: own,
    conditions: { ...conditions },
  });
  const code = linked.dest.text;
  const sourceOf = (at: number) => {
    const { src, position } = linked.destToSrc(at);
    return { path: src.path ?? '', line: src.text.slice(0, position).split('\n').length };
  };

  const text: Declaration[] = [];
  const constants: string[] = [];
  for (const declaration of topLevelOf(code)) {
    const { path, line } = sourceOf(declaration.start + anchorOf(declaration.text));
    if (path === 'constants') {
      constants.push(/^const (\w+)/.exec(declaration.text)?.[1] as string);
    } else if (STAND_INS[path] === undefined) {
      const own = onLines(declaration.text, line, (at) => sourceOf(declaration.start + at).line);
      text.push([basename(path), line, own]);
    }
  }
  return {
    ...interfaceOf(code),
    // Directives first; the rest may be in any order.
    text: text.toSorted(([, , a], [, , b]) => Number(isDirective(b)) - Number(isDirective(a))),
    constants: constants.sort(),
  };
}

/** Where in a declaration's text a position of the source is known: keywords are written anew. */
function anchorOf(text: string): number {
  const found = /^(override|const|alias|struct|fn|var(<[^>]*>)?)\s+/.exec(text);
  return found ? found[0].length : 0;
}

/** A declaration's text with every line as far from its first as in the source, without indentation. */
function onLines(text: string, first: number, lineAt: (at: number) => number): string {
  let result = '';
  let line = first;
  let at = 0;
  for (const own of text.split('\n')) {
    const indentation = own.length - own.trimStart().length;
    const wanted = lineAt(at + indentation);
    if (result !== '') {
      result += wanted > line ? '\n'.repeat(wanted - line) : ' ';
      line = Math.max(line, wanted);
    }
    result += own.trim();
    at += own.length + 1;
  }
  return result;
}
