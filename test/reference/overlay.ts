/**
 * The heat map over the image, as unrounded components (256 scale): [pixels, 3] in f64. `map` in
 * [0, 1], colours and image as r | g << 8 | b << 16 | a << 24.
 */
export function overlayReference(
  map: Float32Array,
  image: Uint32Array,
  colours: Uint32Array,
  opacity: number,
): Float64Array {
  const component = (packed: number | undefined, c: number): number =>
    ((packed as number) >>> (8 * c)) & 255;
  const out = new Float64Array(map.length * 3);
  map.forEach((value, i) => {
    const position = 255 * Math.min(Math.max(value, 0), 1);
    const low = Math.floor(position);
    const high = Math.min(low + 1, 255);
    for (let c = 0; c < 3; c++) {
      const from = component(colours[low], c);
      const colour = from + (component(colours[high], c) - from) * (position - low);
      out[i * 3 + c] = opacity * colour + (1 - opacity) * component(image[i], c);
    }
  });
  return out;
}
