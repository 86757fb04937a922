/** Bytes as text, between whatever has WebGPU and Node. */

/** Characters that a call takes as arguments. */
const PIECE = 0x8000;

/** Base64 of bytes, or of floats, which every machine with a browser keeps little-endian. */
export function base64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE) {
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return btoa(text);
}

export async function base64Of(blob: Blob): Promise<string> {
  return base64(new Uint8Array(await blob.arrayBuffer()));
}

/** The bytes that base64 stands for. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
