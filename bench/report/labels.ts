/*
 * Labels beside dots so that none lies over another, or over a dot: each takes the first free place of a few, nearest
 * first. Far ones get a line to their dot.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export interface Label extends Point {
  /** The edge of the text that is next to the dot, and its middle, in the units of the points. */
  readonly edge: number;
  readonly anchor: 'start' | 'end';
  readonly middle: number;
  /** True where a line should say which dot is meant. */
  readonly far: boolean;
}

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Area {
  readonly width: number;
  readonly height: number;
  readonly fontSize: number;
  readonly dot: number;
}

/** Wider than sans-serif letters are on average. */
const LETTER = 0.6;

/** @param obstacles must be left free, too */
export function placeLabels(
  points: readonly Point[],
  area: Area,
  obstacles: readonly Box[] = [],
): Label[] {
  const { fontSize, dot } = area;
  const dots = points.map(({ x, y }) => box(x - dot, x + dot, y, 2 * dot));
  const taken: Box[] = [...obstacles];
  // Crowded ones are harder to place, so lone ones can wait.
  const order = [...points.keys()].sort((a, b) => crowd(points, b) - crowd(points, a));
  const labels = new Map<number, Label>();
  for (const i of order) {
    const point = points[i] as Point;
    const width = point.text.length * LETTER * fontSize;
    const places = candidates(point, width, area);
    const free = places.find(
      ({ place }) =>
        within(place, area) &&
        !taken.some((other) => overlap(place, other)) &&
        !dots.some((other, j) => j !== i && overlap(place, other)),
    );
    if (!free) continue;
    taken.push(free.place);
    const { left, right, top, bottom } = free.place;
    const isRight = left > point.x;
    labels.set(i, {
      ...point,
      edge: isRight ? left : right,
      anchor: isRight ? 'start' : 'end',
      middle: (top + bottom) / 2,
      far: free.distance > 1,
    });
  }
  return points.flatMap((_, i) => labels.get(i) ?? []);
}

function candidates(
  { x, y }: Point,
  width: number,
  { fontSize, dot }: Area,
): { place: Box; distance: number }[] {
  const height = fontSize + 2;
  const gap = dot + 3;
  const rows = Array.from({ length: 25 }, (_, i) => (i % 2 ? -1 : 1) * Math.ceil(i / 2));
  const found = [0, 18, 40, 70, 110].flatMap((shift, column) =>
    rows.flatMap((row) => {
      const middle = y + row * height * 0.9;
      const distance = Math.abs(row) + 1.5 * column;
      const at = (left: number) => ({ place: box(left, left + width, middle, height), distance });
      return [at(x + gap + shift), at(x - gap - shift - width)];
    }),
  );
  return found.sort((a, b) => a.distance - b.distance);
}

const box = (left: number, right: number, middle: number, height: number): Box => ({
  left,
  right,
  top: middle - height / 2,
  bottom: middle + height / 2,
});

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

const within = ({ left, right, top, bottom }: Box, { width, height }: Area): boolean =>
  left >= 0 && right <= width && top >= 0 && bottom <= height;

function crowd(points: readonly Point[], i: number): number {
  const { x, y } = points[i] as Point;
  return points.filter((other) => Math.abs(other.x - x) < 80 && Math.abs(other.y - y) < 24).length;
}
