import type documentation from '../../demo/texts/en/documentation';
import { OPTIONS } from '../../src/explain/methods/options';
import { METHOD_NAMES, METHODS, type Method, takers } from '../../src/explain/methods/registry';
import { codeLine, escaped, type Html, inline, raw, table } from './html';

type Texts = typeof documentation;

/** Of VGG-16's last convolution. */
const TARGET = { channels: 512, height: 14, width: 14 };
const NOTHING: ReadonlySet<string> = new Set();

const OPTION_NAMES = Object.keys(OPTIONS) as readonly (keyof typeof OPTIONS)[];

/** @param summaryOf what a method does, in the language of the page */
export function methodsSection(texts: Texts, summaryOf: (method: Method) => string): Html {
  const { channels, height, width } = TARGET;
  const rows = METHOD_NAMES.map((name) => {
    const { title, source, cost } = METHODS[name];
    const { forward, backward, head } = cost(
      {},
      { channels, positions: height * width, classes: 1 },
    );
    return [
      raw(`<strong>${escaped(title)}</strong> <code>${escaped(name)}</code>`),
      inline(summaryOf(name), NOTHING),
      raw(`<span lang="en">${escaped(source)}</span>`),
      escaped(texts.cost(forward, backward, head)),
    ];
  });
  return raw(
    `<p>${escaped(texts.methodsLead(channels, `${width} x ${height}`))}</p>` +
      table([texts.method, texts.does, texts.source, texts.passes], rows),
  );
}

export function optionsSection(texts: Texts): Html {
  const rows = OPTION_NAMES.map((name) => [
    codeLine(name, NOTHING),
    raw(`<span lang="en">${inline(OPTIONS[name].summary, NOTHING)}</span>`),
    valuesOf(name, texts),
    raw(
      takers(name)
        .map((method) => takerOf(method, name))
        .join(', '),
    ),
  ]);
  return table([texts.option, texts.description, texts.values, texts.takenBy], rows);
}

function valuesOf(name: keyof typeof OPTIONS, texts: Texts): Html {
  const rule = OPTIONS[name];
  if ('names' in rule) {
    return raw(rule.names.map((value) => codeLine(value, NOTHING)).join(', '));
  }
  if ('least' in rule) return escaped(texts.range(rule.least, rule.most, rule.whole));
  return raw(`<span lang="en">${escaped(rule.kind)}</span>`);
}

/** A method that takes an option, with its default if it has one. */
function takerOf(method: Method, option: keyof typeof OPTIONS): Html {
  const usual = METHODS[method].options[option];
  return raw(
    `${codeLine(method, NOTHING)}${usual === undefined ? '' : ` (${escaped(String(usual))})`}`,
  );
}
