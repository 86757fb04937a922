import { describe, expect, it } from 'vitest';
import { LONGEST_MESSAGE, ScoreCamError, shortened, shown } from '../src/errors';

describe('a message', () => {
  it('of a usual length stays as it is', () => {
    const message = `a.pth: ${'w'.repeat(300)} is missing.`;
    expect(new ScoreCamError('weights', message).message).toBe(message);
  });

  it('keeps its sentences where an address in the middle is long', () => {
    const address = `https://example.org/models/vgg16.pth?signature=${'s'.repeat(5000)}#end`;
    const { message } = new ScoreCamError(
      'weights',
      `The file ${address} has 5 bytes: load it again.`,
    );
    expect(message).toMatch(
      /^The file https:\/\/example\.org\/models\/vgg16\.pth\?signature=s+\.\.\.s+#end has 5 bytes: load it again\.$/,
    );
    expect(message.length).toBeLessThanOrEqual(LONGEST_MESSAGE);
  });

  it('keeps its sentences where a label in quotes is long', () => {
    const message = shortened(`There is no class "${'a b '.repeat(1e6)}". Give one of 0 to 9.`);
    expect(message).toMatch(/^There is no class "a b [a b]+\.\.\.[a b]+ "\. Give one of 0 to 9\.$/);
  });

  it.each([
    ['of many words', 'word '.repeat(1e6)],
    ['of many labels', '"a label", '.repeat(1000)],
    ['of one quotation mark', `"${' '.repeat(1e6)}`],
    ['of line feeds', '\n'.repeat(1e6)],
  ])('%s keeps its beginning and its end', (_, middle) => {
    const { length } = shortened(`First ${middle} last`);
    expect(length).toBeLessThanOrEqual(LONGEST_MESSAGE);
    expect(shortened(`First ${middle} last`)).toMatch(/^First [\s\S]* last$/);
  });
});

it.each([
  ['missing', undefined],
  ['null', null],
  [`"${'x'.repeat(39)}...${'x'.repeat(36)}"`, 'x'.repeat(100)],
  ['[1,"a",true]', [1, 'a', true]],
  [`[${'0,'.repeat(19)}0...${',0'.repeat(18)}]`, Array(1e6).fill(0)],
  ['{"a":1}', { a: 1 }],
  ['an unprintable bigint', 1n],
])('a value is shown as %s', (text, value) => {
  expect(shown(value)).toBe(text);
});

it('a value nested without end is shown by what it is', () => {
  const depth = 200_000;
  expect(shown(JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`))).toBe(
    'an unprintable object',
  );
});
