/** 2 x 2 max pooling with stride 2 of [planes, height, width]; an odd last row or column is dropped. */
export function maxPoolReference(
  input: Float32Array,
  planes: number,
  height: number,
  width: number,
): Float64Array {
  const outHeight = Math.floor(height / 2);
  const outWidth = Math.floor(width / 2);
  const out = new Float64Array(planes * outHeight * outWidth);
  for (let p = 0; p < planes; p++) {
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        const at = (dy: number, dx: number): number =>
          input[(p * height + 2 * y + dy) * width + 2 * x + dx] as number;
        out[(p * outHeight + y) * outWidth + x] = Math.max(at(0, 0), at(0, 1), at(1, 0), at(1, 1));
      }
    }
  }
  return out;
}

/** Mean of each plane of [planes, pixels], in f64. */
export function globalAveragePoolReference(
  input: Float32Array,
  planes: number,
  pixels: number,
): Float64Array {
  return Float64Array.from({ length: planes }, (_, p) => {
    const plane = input.subarray(p * pixels, (p + 1) * pixels);
    return plane.reduce((sum, value) => sum + value, 0) / pixels;
  });
}
