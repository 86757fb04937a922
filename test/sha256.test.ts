import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { lengthInBits, Sha256 } from '../src/model/bytes/sha256';
import { generated } from './harness/hostile-server';

function oracle(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function ours(bytes: Uint8Array): string {
  return new Sha256().update(bytes).digest();
}

describe('SHA-256', () => {
  // FIPS 180-4's examples, as NIST publishes them.
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    [
      'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn' +
        'hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
      'cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1',
    ],
    ['a'.repeat(1e6), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ])('vector %#', (text, expected) => {
    expect(ours(new TextEncoder().encode(text))).toBe(expected);
  });

  it('every length from 0 to 300', () => {
    const bytes = generated(300).bytes(0, 300);
    for (let length = 0; length <= 300; length++) {
      expect(ours(bytes.subarray(0, length)), `${length}`).toBe(oracle(bytes.subarray(0, length)));
    }
  });

  it('does not depend on how the bytes are split', () => {
    const bytes = generated(10_000).bytes(0, 10_000);
    const expected = oracle(bytes);
    let state = 7;
    for (let run = 0; run < 100; run++) {
      const hash = new Sha256();
      for (let at = 0; at < bytes.length; ) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const end = at + ((state >>> 16) % 200);
        hash.update(bytes.subarray(at, end));
        at = Math.min(end, bytes.length);
      }
      expect(hash.digest()).toBe(expected);
    }
  });

  it('hashes part of a larger buffer where it lies', () => {
    const bytes = generated(500).bytes(0, 500);
    expect(ours(bytes.subarray(13, 413))).toBe(oracle(bytes.subarray(13, 413)));
  });

  it('counts lengths beyond 2^32 bits', () => {
    expect(lengthInBits(2 ** 29 - 1)).toEqual([0, 0xfffffff8]);
    expect(lengthInBits(2 ** 29)).toEqual([1, 0]);
    expect(lengthInBits(3 * 2 ** 40 + 5)).toEqual([3 * 2 ** 11, 40]);
    const zeros = new Uint8Array(8 * 1024 * 1024);
    const hash = new Sha256();
    const expected = createHash('sha256');
    for (let bytes = 0; bytes <= 2 ** 29; bytes += zeros.length) {
      hash.update(zeros);
      expected.update(zeros);
    }
    expect(hash.digest()).toBe(expected.digest('hex'));
  });

  it('is finished by digest', () => {
    const hash = new Sha256().update(new Uint8Array(3));
    expect(hash.digest()).toBe(hash.digest());
    expect(() => hash.update(new Uint8Array(1))).toThrow('finished');
  });
});
