import upsampledMap from '../maps/upsampled_map.wgsl?raw';
import bilinear from './bilinear.wgsl?raw';

/** How a map is brought to another size; the rule of torch.nn.functional.interpolate, bilinear. */
export interface Interpolation {
  readonly mapHeight: number;
  readonly mapWidth: number;
  readonly height: number;
  readonly width: number;
  readonly alignCorners: boolean;
}

/** Goes in front of a kernel that binds `maps` and reads them with `upsampled`. */
export const interpolationCode = `${bilinear}\n${upsampledMap}\n`;

/** The override constants that {@link interpolationCode} declares. */
export const interpolationOverrides = [
  'MAP_HEIGHT',
  'MAP_WIDTH',
  'HEIGHT',
  'WIDTH',
  'ALIGN_CORNERS',
] as const;

export function interpolationConstants(
  args: Interpolation,
): Record<(typeof interpolationOverrides)[number], number> {
  return {
    MAP_HEIGHT: args.mapHeight,
    MAP_WIDTH: args.mapWidth,
    HEIGHT: args.height,
    WIDTH: args.width,
    ALIGN_CORNERS: Number(args.alignCorners),
  };
}
