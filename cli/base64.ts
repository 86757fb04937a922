/** Bytes as text, between a page in headless Chrome and Node. */

/** Base64 of a blob's bytes or of floats, which every machine with a browser keeps little-endian. */
export function base64(data: Blob | Float32Array): Promise<string> {
  const blob = data instanceof Blob ? data : new Blob([data as Float32Array<ArrayBuffer>]);
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ''));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** The bytes that base64 stands for. */
export async function blobOf(base64: string): Promise<Blob> {
  return (await fetch(`data:application/octet-stream;base64,${base64}`)).blob();
}
