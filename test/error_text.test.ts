import { expect, it } from 'vitest';
import { detailsOf, messageOf } from '../cli/error-text';
import { ScoreCamError } from '../src/errors';

/** An error as it is in an engine whose `stack` is this. */
function thrown(stack: string | undefined): Error {
  return Object.defineProperty(new ScoreCamError('kernel', 'softmax failed'), 'stack', {
    value: stack,
  });
}

it.each([
  ['V8', 'ScoreCamError: softmax failed\n    at run (a.js:1:2)'],
  ['Gecko', 'run@a.js:1:2\nasync*b@a.js:3:4'],
  ['one without stacks', undefined],
])("an error's details begin with its message once, and have the place: %s", (_, stack) => {
  const details = detailsOf(thrown(stack));
  expect(details).toMatch(/^ScoreCamError: softmax failed(\n|$)/);
  expect(details.split('softmax failed')).toHaveLength(2);
  if (stack) expect(details).toContain('a.js:1:2');
});

it('what is thrown need not be an Error', () => {
  expect([detailsOf('plain'), messageOf('plain'), messageOf(new Error('m'))]).toEqual([
    'plain',
    'plain',
    'm',
  ]);
});
