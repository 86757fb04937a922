/** What the library exports, read from its types by TypeScript's own compiler. */
import ts from 'typescript';
import { projectFile } from './path';

export interface ApiMember {
  /** As declared, without its documentation: `readonly width: number`. */
  readonly code: string;
  /** Documentation, paragraphs apart by empty lines. */
  readonly text: string;
}

export interface ApiItem extends ApiMember {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'constant';
  readonly members: readonly ApiMember[];
}

/**
 * The exports of each entry.
 * @param entries from the project's folder on, such as `src/index.ts`
 * @throws Error for one that TypeScript cannot read
 */
export function readApi(entries: readonly string[]): readonly (readonly ApiItem[])[] {
  const files = entries.map((entry) => projectFile(entry));
  const { config } = ts.readConfigFile(projectFile('tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files },
    ts.sys,
    projectFile('.'),
  );
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  return files.map((file) => {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    if (!module) throw new Error(`${file} is no module that TypeScript can read.`);
    return checker
      .getExportsOfModule(module)
      .map((symbol) => itemOf(symbol.name, resolved(symbol, checker), checker));
  });
}

const resolved = (symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

function itemOf(name: string, symbol: ts.Symbol, checker: ts.TypeChecker): ApiItem {
  const [declaration] = symbol.declarations ?? [];
  if (!declaration) throw new Error(`${name} has no declaration.`);
  const base = { name, text: documentationOf(symbol, checker) };
  if (ts.isFunctionDeclaration(declaration)) {
    return { ...base, kind: 'function', code: signatureOf(declaration), members: [] };
  }
  if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) {
    const isClass = ts.isClassDeclaration(declaration);
    const heritage = (declaration.heritageClauses ?? []).map((clause) => ` ${clause.getText()}`);
    const parameters = declaration.typeParameters?.map((parameter) => parameter.getText());
    const generic = parameters ? `<${parameters.join(', ')}>` : '';
    const kind = isClass ? 'class' : 'interface';
    const code = `${kind} ${name}${generic}${heritage.join('')}`;
    return { ...base, kind, code, members: membersOf(declaration, checker) };
  }
  if (ts.isTypeAliasDeclaration(declaration)) {
    const written = withoutComments(declaration.getText()).replace(/^export\s+/, '');
    // What is derived from data that nobody sees here is said by what it comes to.
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const flags = ts.TypeFormatFlags.InTypeAlias | ts.TypeFormatFlags.NoTruncation;
    const code = written.includes('typeof')
      ? `type ${name} = ${checker.typeToString(type, undefined, flags)};`
      : written;
    return { ...base, kind: 'type', code, members: [] };
  }
  const type = ts.isVariableDeclaration(declaration) && declaration.type;
  const code = `const ${name}${type ? `: ${type.getText()}` : ''}`;
  return { ...base, kind: 'constant', code, members: [] };
}

function membersOf(
  declaration: ts.ClassDeclaration | ts.InterfaceDeclaration,
  checker: ts.TypeChecker,
): ApiMember[] {
  return [...declaration.members].filter(isPublic).map((member) => {
    const symbol = ts.isConstructorDeclaration(member)
      ? undefined
      : checker.getSymbolAtLocation(member.name ?? member);
    return {
      code: signatureOf(member),
      text: symbol ? documentationOf(symbol, checker) : '',
    };
  });
}

function isPublic(member: ts.ClassElement | ts.TypeElement): boolean {
  const flags = ts.getCombinedModifierFlags(member);
  const isHidden = flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected);
  const isInternal = ts.getJSDocTags(member).some((tag) => tag.tagName.text === 'internal');
  return !isHidden && !isInternal;
}

/** Without body, initialiser and comments. */
function signatureOf(node: ts.Node): string {
  const text = node.getText();
  const end = bodyOf(node)?.getStart() ?? node.getEnd();
  return withoutComments(text.slice(0, end - node.getStart()))
    .replace(/^(export|async|public)\s+/g, '')
    .replace(/\bexport |\basync /g, '')
    .replace(/[\s;={]+$/, '');
}

function bodyOf(node: ts.Node): ts.Node | undefined {
  if (ts.isPropertyDeclaration(node)) return node.initializer;
  return ts.isFunctionLike(node) && 'body' in node ? (node.body as ts.Node | undefined) : undefined;
}

/** Comments between the members of a type are said by its text, or are for who reads the source. */
const withoutComments = (code: string): string =>
  code.replace(/\/\*[\s\S]*?\*\/\s*/g, '').replace(/(^|\s)\/\/[^\n]*\n\s*/g, '$1');

/** The summary, and what the tags say of parameters, results and errors. */
function documentationOf(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  const tags = symbol.getJsDocTags(checker).flatMap(({ name, text: parts }) => {
    const said = ts.displayPartsToString(parts).trim();
    const word = { param: 'Parameter', returns: 'Returns', throws: 'Throws' }[name];
    return word ? [`${word} ${name === 'param' ? said.replace(/^(\w+)\s*/, '`$1`: ') : said}`] : [];
  });
  return [text, ...tags].filter(Boolean).join('\n\n');
}
