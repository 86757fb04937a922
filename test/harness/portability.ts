import { parseSrcModule } from 'wesl/core';

/*
 * What WGSL allows but some implementation of WebGPU lacks, or gets wrong without an error: before January 2026 WebKit
 * did not compute override expressions, naga has no subgroups in Firefox, and language extensions came one by one.
 * Nothing here needs any of it: what the host decides about sizes are constants of the text.
 */

/** A node of WESL's syntax tree, as far as it is looked at here. */
interface Node {
  readonly kind: string;
  readonly [member: string]: unknown;
}

const MATRIX = 'chromium_experimental_subgroup_matrix';

/** What an extension brings. */
const BROUGHT: Readonly<Record<string, RegExp>> = {
  f16: /^(f16|(vec[234]|mat[234]x[234])h)$/,
  subgroups: /^(subgroup|quad)[A-Z]/,
  [MATRIX]: /^subgroup(_m|M)atrix/,
};

/** Spaces that parameters of functions may point to without an extension of the language. */
const PLAIN_SPACES = ['function', 'private'];

/**
 * Everything in a shader's text that does not run everywhere, in words; empty when there is nothing.
 * @param enabled extensions that the kernel may have: who chooses it knows that the device does
 */
export function unportable(code: string, enabled: readonly string[] = []): string[] {
  const nodes = nodesOf(
    parseSrcModule(
      { modulePath: 'package::main', debugFilePath: 'shader', src: code },
      { keepComments: false },
    ).moduleElem,
  );
  const names = new Set(nodes.map(nameOf));
  const namesOf = (wanted: string) =>
    new Set(nodes.filter(({ kind }) => kind === wanted).map(nameOf));
  const [overrides, own] = [namesOf('override'), namesOf('fn')];
  const overridden = (tree: unknown): string | undefined =>
    nodesOf(tree)
      .map(nameOf)
      .find((name) => overrides.has(name));
  return nodes.flatMap((node): string[] => {
    const { kind, templateParams, arguments: values, extensions = [] } = node;
    const directive = (extensions as Node[]).map(({ name }) => String(name));
    if (kind === 'requires') return [`requires ${directive}`];
    if (kind === 'enable') {
      return directive.flatMap((name) => {
        if (!enabled.includes(name)) return [`enable ${name}, in a kernel for every device`];
        return [...names].some((used) => BROUGHT[name]?.test(used))
          ? []
          : [`enable ${name}, unused`];
      });
    }
    if (kind === 'override' && node.init)
      return [`override ${nameOf(node)} with a value of its own`];
    if (kind === 'struct') {
      const by = overridden(node.members);
      return by ? [`struct ${nameOf(node)}, sized by override ${by}`] : [];
    }
    if (templateParams) {
      const by = overridden(templateParams);
      return by ? [`${nameOf(node)}<...>, sized by override ${by}`] : [];
    }
    if (kind === '@attribute') {
      const by = overridden(node.params);
      return by ? [`@${node.name}, by override ${by}`] : [];
    }
    if (kind === '@builtin') {
      const { name } = node.param as { name: string };
      // What matrix units are offered with has them.
      const isLate = name === 'subgroup_id' || name === 'num_subgroups';
      return isLate && !enabled.includes(MATRIX) ? [`@builtin(${name})`] : [];
    }
    if (kind === 'gvar') {
      const [space] = ((node.template ?? []) as Node[]).map(({ name }) => String(name));
      return space === 'immediate' || space === 'push_constant' ? [`var<${space}>`] : [];
    }
    if (kind === 'param') {
      const type = nodesOf(node.name).find(({ templateParams }) => templateParams);
      const [space = ''] = nodesOf(type?.templateParams).map(nameOf);
      const isPointer = type !== undefined && nameOf(type) === 'ptr';
      return isPointer && !PLAIN_SPACES.includes(space)
        ? [`a parameter that is ptr<${space}>`]
        : [];
    }
    if (kind === 'call-expression' && own.has(nameOf(node.function as Node))) {
      // A pointer to a part, as an argument, is what the same extension of the language brings.
      return (values as Node[]).flatMap(({ kind, operator, expression }) => {
        const isAddress = kind === 'unary-expression' && (operator as Node).value === '&';
        return isAddress && (expression as Node).kind !== 'ref'
          ? ['an argument &x[i] or &x.y']
          : [];
      });
    }
    return [];
  });
}

/** All nodes of a tree, an outer one before those in it. */
function nodesOf(tree: unknown): Node[] {
  if (typeof tree !== 'object' || tree === null) return [];
  if (Array.isArray(tree)) return tree.flatMap(nodesOf);
  const node = tree as Node;
  // What a name refers to is not part of the tree.
  const parts = Object.entries(node).filter(
    ([key, part]) => key !== 'ident' && !/scope$/i.test(key) && !isIdentifier(part),
  );
  return [
    ...(typeof node.kind === 'string' ? [node] : []),
    ...parts.flatMap(([, own]) => nodesOf(own)),
  ];
}

const isIdentifier = (part: unknown): part is { readonly originalName: string } =>
  typeof part === 'object' && part !== null && 'originalName' in part;

/** What a node is called or refers to; '' if it is neither. */
function nameOf({ ident, name }: Node): string {
  if (isIdentifier(ident)) return ident.originalName;
  if (isIdentifier(name)) return name.originalName;
  const inner = name as { readonly ident?: unknown; readonly decl?: Node } | undefined;
  if (isIdentifier(inner?.ident)) return inner.ident.originalName;
  return inner?.decl ? nameOf(inner.decl) : '';
}
