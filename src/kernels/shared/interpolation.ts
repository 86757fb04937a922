/** How a map is brought to another size; the rule of torch.nn.functional.interpolate, bilinear. */
export interface Interpolation {
  readonly mapHeight: number;
  readonly mapWidth: number;
  readonly height: number;
  readonly width: number;
  readonly alignCorners: boolean;
}

/** Values of the overrides in upsampled_map.wgsl. */
export function interpolationConstants(args: Interpolation): Record<string, number> {
  return {
    MAP_HEIGHT: args.mapHeight,
    MAP_WIDTH: args.mapWidth,
    HEIGHT: args.height,
    WIDTH: args.width,
    ALIGN_CORNERS: Number(args.alignCorners),
  };
}
