/** The largest piece of a body that is in memory at a time where the body can be read into a buffer. */
const PIECE = 256 * 1024;

/**
 * A response's body in pieces no larger than asked for. Nothing is read ahead: what was not asked for stays
 * with the network, whose flow control then stops the server. Where the body is a byte stream, all of it
 * goes through one buffer, so that half a gigabyte leaves no garbage; else one network chunk is held.
 */
export class BodyReader {
  private readonly bytes: ReadableStreamBYOBReader | undefined;
  private readonly chunks: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  private piece = new ArrayBuffer(PIECE);
  /** What of a chunk was not asked for yet. */
  private rest = new Uint8Array(0);

  constructor(body: ReadableStream<Uint8Array<ArrayBuffer>> | null) {
    if (!body) return;
    try {
      this.bytes = body.getReader({ mode: 'byob' });
    } catch {
      // Not a byte stream: older browsers, and responses made by code.
      this.chunks = body.getReader();
    }
  }

  /**
   * The next bytes, from 1 to `most`; undefined at the end. They are valid until the next call.
   * @throws whatever the network says when the body breaks off; nothing that came before it is lost.
   */
  async next(most: number): Promise<Uint8Array | undefined> {
    if (this.bytes) {
      const view = new Uint8Array(this.piece, 0, Math.min(most, PIECE));
      const { value, done } = await this.bytes.read(view);
      if (done) return undefined;
      this.piece = value.buffer;
      return value;
    }
    while (this.rest.length === 0) {
      const { value } = (await this.chunks?.read()) ?? {};
      if (!value) return undefined;
      this.rest = value;
    }
    const bytes = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(bytes.length);
    return bytes;
  }
}
