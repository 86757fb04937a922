/** Text as HTML. What is marked as {@link Html} is that already. */
export type Html = string & { readonly isHtml: true };

export const raw = (html: string): Html => html as Html;

export const escaped = (text: string): Html =>
  raw(
    text.replace(
      /[&<>"]/g,
      (sign) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' }[sign]};`,
    ),
  );

/**
 * The library's documentation comments as HTML: paragraphs apart by empty lines, `code` in backticks, links to what is
 * documented on the page.
 * @param known what can be linked to
 */
export function prose(text: string, known: ReadonlySet<string>): Html {
  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => paragraph.trim() !== '');
  return raw(
    paragraphs.map((paragraph) => `<p lang="en">${inline(paragraph, known)}</p>`).join(''),
  );
}

export function inline(text: string, known: ReadonlySet<string>): Html {
  // A link in braces is shown as code, as names are.
  const plain = text.replace(/\{@link\s+([^\s}]+)[^}]*\}/g, '`$1`');
  const parts = plain.split(/`([^`]*)`/);
  return raw(
    parts.map((part, at) => (at % 2 === 1 ? codeLine(part, known) : escaped(part))).join(''),
  );
}

/** A piece of code in a line. */
export const codeLine = (code: string, known: ReadonlySet<string>): Html =>
  raw(`<code lang="en">${linked(code, known)}</code>`);

/** Lines of code. They may be scrolled, and so can have the focus. */
export const codeBlock = (code: string, known: ReadonlySet<string>): Html =>
  raw(`<pre lang="en" tabindex="0"><code>${linked(code, known)}</code></pre>`);

function linked(code: string, known: ReadonlySet<string>): string {
  return escaped(code).replace(/\b[A-Z]\w+|\b[a-z]\w+(?=\()/g, (name) =>
    known.has(name) ? `<a href="#${name}">${name}</a>` : name,
  );
}

/** A table that scrolls by itself where the page is narrow. The first cell of each row is its head. */
export function table(heads: readonly string[], rows: readonly (readonly Html[])[]): Html {
  const head = heads.map((text) => `<th scope="col">${escaped(text)}</th>`).join('');
  const body = rows.map(([first, ...rest]) => {
    const cells = rest.map((cell) => `<td>${cell}</td>`).join('');
    return `<tr><th scope="row">${first}</th>${cells}</tr>`;
  });
  return raw(
    `<div class="scroll" tabindex="0" role="group" aria-label="${escaped(heads[0] ?? '')}"><table><thead><tr>${head}</tr></thead>` +
      `<tbody>${body.join('')}</tbody></table></div>`,
  );
}
