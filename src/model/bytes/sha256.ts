/**
 * SHA-256 (FIPS 180-4) of bytes that come in pieces, which `crypto.subtle.digest` cannot do: it wants a
 * file whole in memory, and is missing on pages without https.
 */

/** FIPS 180-4, 4.2.2: first 32 bits of the fractional parts of the first 64 primes' cube roots. */
// biome-ignore format: a table
const ROUND_CONSTANTS = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);

/** FIPS 180-4, 5.3.3: the same of the first eight primes' square roots. */
// biome-ignore format: a table
const INITIAL_STATE = Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);

const BLOCK = 64;
/** Where the last block has its length, in bits, as 64 bits big-endian. */
const LENGTH_AT = 56;

export class Sha256 {
  private readonly state = INITIAL_STATE.slice();
  private readonly schedule = new Int32Array(64);
  /** The block that is not full yet. */
  private readonly block = new Uint8Array(BLOCK);
  private bytes = 0;
  private hex: string | undefined;

  /** Takes the next bytes, as many as there are. */
  update(bytes: Uint8Array): this {
    if (this.hex !== undefined) throw new Error('This SHA-256 was finished by digest().');
    const held = this.bytes % BLOCK;
    this.bytes += bytes.length;
    let taken = 0;
    if (held > 0) {
      taken = Math.min(BLOCK - held, bytes.length);
      this.block.set(bytes.subarray(0, taken), held);
      if (held + taken < BLOCK) return this;
      this.compress(this.block, 0, BLOCK);
    }
    const whole = taken + Math.floor((bytes.length - taken) / BLOCK) * BLOCK;
    this.compress(bytes, taken, whole);
    this.block.set(bytes.subarray(whole));
    return this;
  }

  /** 64 lower-case hexadecimal digits. No update is possible after it. */
  digest(): string {
    if (this.hex !== undefined) return this.hex;
    const held = this.bytes % BLOCK;
    this.block.fill(0, held);
    this.block[held] = 0x80;
    if (held >= LENGTH_AT) {
      this.compress(this.block, 0, BLOCK);
      this.block.fill(0);
    }
    lengthInBits(this.bytes).forEach((word, i) => {
      new DataView(this.block.buffer).setUint32(LENGTH_AT + 4 * i, word);
    });
    this.compress(this.block, 0, BLOCK);
    this.hex = Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join(
      '',
    );
    return this.hex;
  }

  /**
   * Whole blocks, bytes start ... end. The functions of FIPS 180-4, 4.1.2 are written out: as functions
   * they are too many for engines to inline, and calls make this three times as slow.
   */
  private compress(bytes: Uint8Array, start: number, end: number): void {
    const { state, schedule } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = start; at < end; at += BLOCK) {
      for (let i = 0; i < 16; i++) schedule[i] = view.getInt32(at + 4 * i);
      for (let i = 16; i < 64; i++) {
        const x = schedule[i - 15] as number;
        const y = schedule[i - 2] as number;
        const sigma0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const sigma1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        schedule[i] =
          ((schedule[i - 16] as number) + sigma0 + (schedule[i - 7] as number) + sigma1) | 0;
      }
      let a = state[0] as number;
      let b = state[1] as number;
      let c = state[2] as number;
      let d = state[3] as number;
      let e = state[4] as number;
      let f = state[5] as number;
      let g = state[6] as number;
      let h = state[7] as number;
      for (let i = 0; i < 64; i++) {
        const sum1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const choice = g ^ (e & (f ^ g));
        const t1 =
          (h + sum1 + choice + (ROUND_CONSTANTS[i] as number) + (schedule[i] as number)) | 0;
        const sum0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const majority = (a & b) | (c & (a | b));
        h = g;
        g = f;
        f = e;
        e = (d + t1) | 0;
        d = c;
        c = b;
        b = a;
        a = (t1 + sum0 + majority) | 0;
      }
      state[0] = (state[0] as number) + a;
      state[1] = (state[1] as number) + b;
      state[2] = (state[2] as number) + c;
      state[3] = (state[3] as number) + d;
      state[4] = (state[4] as number) + e;
      state[5] = (state[5] as number) + f;
      state[6] = (state[6] as number) + g;
      state[7] = (state[7] as number) + h;
    }
  }
}

/**
 * A message's length in bits as two 32-bit words, the higher first. Bit operations would cut it at 2^32
 * bits, that is 512 MiB, which weight files exceed.
 */
export function lengthInBits(bytes: number): [number, number] {
  return [Math.floor(bytes / 2 ** 29), (bytes % 2 ** 29) * 8];
}
