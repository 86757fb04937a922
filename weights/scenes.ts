/**
 * Scenes: small synthetic pictures with named objects, drawn by a software rasteriser.
 *
 * `drawScene` is a pure function of its options. It has no imports and needs no canvas, so the
 * training script, the tests, the command line and the demo all draw the same pixels from the same
 * seed.
 *
 * What is random in a scene, and how (`size` is the side of the picture, 224 unless asked):
 *
 * - object extent (longer side of the upright shape): one object, uniform in 36 % to 64 % of the
 *   side; two objects, uniform in 36 % to 48 %;
 * - place: uniform, as long as the whole object lies inside the picture and, for two objects, the
 *   boxes stay at least 3 % of the side apart;
 * - rotation: any angle for star, ring, cross, arrow, key and spiral; within 30 degrees of upright
 *   for the others;
 * - fill: solid, stripes, checks, dots, gradient or noise, equally likely, in two shades of one
 *   random colour that stands out from the background beneath; half of the objects have an outline,
 *   half drop a soft shadow;
 * - background: a gradient of two random colours with value noise, then 0 to 3 patterned patches,
 *   0 to 4 soft blobs, 0 to 6 lines and 4 to 16 small pieces (bars, discs, half discs, specks) that
 *   belong to no class.
 */

/** The names a scene's objects can have; an object's `classIndex` points into this list. */
export const SCENE_CLASSES: readonly string[] = [
  'star',
  'heart',
  'ring',
  'cross',
  'crescent moon',
  'arrow',
  'triangle',
  'fish',
  'house',
  'key',
  'lightning bolt',
  'spiral',
];

/** Seeds from 0 up to here (exclusive) are for training; all others are unseen by the model. */
export const TRAINING_SEEDS_END = 1_000_000;

export interface SceneObject {
  classIndex: number;
  label: string;
  /** Tight axis-aligned box of the drawn object, its outline included, its shadow not. */
  box: { x: number; y: number; width: number; height: number };
}

export interface Scene {
  width: number;
  height: number;
  /** RGBA, alpha 255. */
  data: Uint8ClampedArray;
  objects: SceneObject[];
}

export interface SceneOptions {
  seed: number;
  /** How many objects to draw: 1 unless asked. */
  objects?: 0 | 1 | 2;
  /** Side of the square picture in pixels: 224 unless asked. */
  size?: number;
  /** Class indices to draw, in order; classes that are not given are drawn by lot. */
  classes?: number[];
}

type Point = readonly [number, number];
type Colour = readonly [number, number, number];
interface Bounds {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

const around = (cx: number, cy: number, reach: number): Bounds => ({
  x0: cx - reach,
  y0: cy - reach,
  x1: cx + reach,
  y1: cy + reach,
});

const shift = ({ x0, y0, x1, y1 }: Bounds, by: number): Bounds => ({
  x0: x0 + by,
  y0: y0 + by,
  x1: x1 + by,
  y1: y1 + by,
});

/** Colour at a point, both coordinates in the pattern's own frame. */
type Paint = (x: number, y: number) => Colour;

/** A shape in its own frame: y points down, the upright box is centred, its longer side is 2. */
interface Shape {
  solids: Point[][];
  holes: Point[][];
  /** Largest turn from upright, in radians. */
  turn: number;
}

export function drawScene(options: SceneOptions): Scene {
  const size = options.size ?? 224;
  const count = options.objects ?? 1;
  const random = new Random(options.seed);
  const picture = new Picture(size);
  drawBackground(picture, random);
  const placements = placeObjects(
    chooseClasses(count, options.classes ?? [], random),
    size,
    random,
  );
  const objects = placements.map((placement) => drawObject(picture, placement, random));
  return { width: size, height: size, data: picture.data, objects };
}

// ---------------------------------------------------------------------------------------------
// Random numbers

/** mulberry32, its seed scrambled first so that neighbouring seeds share nothing. */
class Random {
  #state: number;

  constructor(seed: number) {
    let h = (seed ^ 0x9e3779b9) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    this.#state = (h ^ (h >>> 16)) >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  range(from: number, to: number): number {
    return from + (to - from) * this.next();
  }

  /** Whole number in [from, to]. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }
}

// ---------------------------------------------------------------------------------------------
// Shapes: every one is a union of polygons less a union of polygons

const degrees = (d: number): number => (d * Math.PI) / 180;

/** Points on an arc; angles in degrees, 0 to the right, 90 down. */
function arc(cx: number, cy: number, r: number, from: number, to: number, steps: number): Point[] {
  return Array.from({ length: steps + 1 }, (_, i): Point => {
    const a = degrees(from + ((to - from) * i) / steps);
    return [cx + r * Math.cos(a), cy + r * Math.sin(a)];
  });
}

const disc = (cx: number, cy: number, r: number): Point[] => arc(cx, cy, r, 0, 350, 35);

const rectangle = (x0: number, y0: number, x1: number, y1: number): Point[] => [
  [x0, y0],
  [x1, y0],
  [x1, y1],
  [x0, y1],
];

function star(): Point[] {
  return Array.from({ length: 10 }, (_, i): Point => {
    const r = i % 2 === 0 ? 1 : 0.45;
    const a = degrees(i * 36 - 90);
    return [r * Math.cos(a), r * Math.sin(a)];
  });
}

function heart(): Point[] {
  return Array.from({ length: 40 }, (_, i): Point => {
    const t = degrees(i * 9);
    const y = 13 * Math.cos(t) - 5 * Math.cos(2 * t) - 2 * Math.cos(3 * t) - Math.cos(4 * t);
    return [16 * Math.sin(t) ** 3, -y];
  });
}

/** Outer arc of the moon, then back along the inner arc between the same two horns. */
function crescent(): Point[] {
  const horn = degrees(52);
  const inner = { x: 0.62, r: 0 };
  inner.r = Math.hypot(Math.cos(horn) - inner.x, Math.sin(horn));
  const edge = (Math.atan2(Math.sin(horn), Math.cos(horn) - inner.x) * 180) / Math.PI;
  return [...arc(0, 0, 1, 52, 308, 30), ...arc(inner.x, 0, inner.r, 360 - edge, edge, 24)];
}

/** A band of even width along an Archimedean spiral of a little over two turns. */
function spiral(): Point[] {
  const steps = 44;
  const half = 0.095;
  const edge = (side: number): Point[] =>
    Array.from({ length: steps + 1 }, (_, i): Point => {
      const a = degrees(40 + (770 * i) / steps);
      const r = 0.065 * a + side * half;
      return [r * Math.cos(a), r * Math.sin(a)];
    });
  return [...edge(1), ...edge(-1).reverse()];
}

const FREE = 180;
const UPRIGHT = 30;

const SHAPES: readonly Shape[] = [
  shape(FREE, [star()]),
  shape(UPRIGHT, [heart()]),
  shape(FREE, [disc(0, 0, 1)], [disc(0, 0, 0.58)]),
  shape(FREE, [rectangle(-1, -0.32, 1, 0.32), rectangle(-0.32, -1, 0.32, 1)]),
  shape(UPRIGHT, [crescent()]),
  shape(FREE, [
    [
      [-1, -0.27],
      [0.1, -0.27],
      [0.1, -0.75],
      [1, 0],
      [0.1, 0.75],
      [0.1, 0.27],
      [-1, 0.27],
    ],
  ]),
  shape(UPRIGHT, [
    [
      [0, -0.9],
      [1, 0.85],
      [-1, 0.85],
    ],
  ]),
  // Two arcs make the body; the tail is a notched triangle; the hole is the eye.
  shape(
    UPRIGHT,
    [
      [...arc(-0.25, 0.55, 0.95, 215, 325, 14), ...arc(-0.25, -0.55, 0.95, 35, 145, 14)],
      [
        [0.3, 0],
        [1, -0.55],
        [0.82, 0],
        [1, 0.55],
      ],
    ],
    [disc(-0.62, -0.08, 0.09)],
  ),
  // Walls, a roof with eaves and a chimney; the holes are the door and a window.
  shape(
    UPRIGHT,
    [
      [
        [0, -0.95],
        [0.42, -0.551],
        [0.42, -0.9],
        [0.7, -0.9],
        [0.7, -0.285],
        [1, 0],
        [0.75, 0],
        [0.75, 0.95],
        [-0.75, 0.95],
        [-0.75, 0],
        [-1, 0],
      ],
    ],
    [rectangle(-0.5, 0.38, -0.1, 0.95), rectangle(0.15, 0.25, 0.52, 0.6)],
  ),
  shape(
    FREE,
    [
      disc(-0.5, 0, 0.5),
      [
        [-0.2, -0.14],
        [1, -0.14],
        [1, 0.5],
        [0.72, 0.5],
        [0.72, 0.14],
        [0.56, 0.14],
        [0.56, 0.4],
        [0.3, 0.4],
        [0.3, 0.14],
        [-0.2, 0.14],
      ],
    ],
    [disc(-0.5, 0, 0.24)],
  ),
  shape(UPRIGHT, [
    [
      [0.1, -1],
      [-0.6, 0.2],
      [-0.08, 0.2],
      [-0.3, 1],
      [0.6, -0.3],
      [0.06, -0.3],
      [0.5, -1],
    ],
  ]),
  shape(FREE, [spiral()]),
];

function shape(turn: number, solids: Point[][], holes: Point[][] = []): Shape {
  const { x0, y0, x1, y1 } = bounds(solids.flat());
  const scale = 2 / Math.max(x1 - x0, y1 - y0);
  const fit = (polygon: Point[]): Point[] =>
    polygon.map(([x, y]): Point => [(x - (x0 + x1) / 2) * scale, (y - (y0 + y1) / 2) * scale]);
  return { solids: solids.map(fit), holes: holes.map(fit), turn: degrees(turn) };
}

function bounds(points: readonly Point[]): Bounds {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return { x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) };
}

/** Signed distance to a polygon: negative inside. Edges are flattened once, for speed. */
function polygonDistance(polygon: readonly Point[]): (x: number, y: number) => number {
  const edges = polygon.map(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length] ?? [ax, ay];
    const dx = bx - ax;
    const dy = by - ay;
    return { ax, ay, by, dx, dy, inverse: 1 / (dx * dx + dy * dy || 1) };
  });
  return (x, y) => {
    let nearest = Infinity;
    let inside = false;
    for (const { ax, ay, by, dx, dy, inverse } of edges) {
      const px = x - ax;
      const py = y - ay;
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) * inverse));
      const ex = px - along * dx;
      const ey = py - along * dy;
      nearest = Math.min(nearest, ex * ex + ey * ey);
      if (ay > y !== by > y && px * dy < py * dx === dy > 0) inside = !inside;
    }
    return inside ? -Math.sqrt(nearest) : Math.sqrt(nearest);
  };
}

function shapeDistance({ solids, holes }: Shape): (x: number, y: number) => number {
  const outer = solids.map(polygonDistance);
  const inner = holes.map(polygonDistance);
  return (x, y) => {
    let d = Infinity;
    for (const distance of outer) d = Math.min(d, distance(x, y));
    for (const distance of inner) d = Math.max(d, -distance(x, y));
    return d;
  };
}

// ---------------------------------------------------------------------------------------------
// Objects

interface Placement {
  classIndex: number;
  cx: number;
  cy: number;
  /** Pixels per unit of the shape's frame. */
  scale: number;
  angle: number;
  /** Bounds of the turned shape, in pixels from its centre. */
  outer: Bounds;
}

function chooseClasses(count: number, forced: readonly number[], random: Random): number[] {
  const chosen: number[] = [];
  while (chosen.length < count) {
    const classIndex = forced[chosen.length] ?? random.whole(0, SCENE_CLASSES.length - 1);
    if (!(classIndex in SHAPES)) throw new RangeError(`There is no scene class ${classIndex}.`);
    // By lot, the second object is never of the first one's class; asked for, it may be.
    if (forced[chosen.length] === undefined && chosen.includes(classIndex)) continue;
    chosen.push(classIndex);
  }
  return chosen;
}

/** Places for all objects, drawn anew until their boxes keep apart. */
function placeObjects(classes: readonly number[], size: number, random: Random): Placement[] {
  const margin = size * 0.02;
  const gap = size * 0.03;
  for (let attempt = 0; ; attempt++) {
    // Two large objects may leave no room for each other: shrink slowly so that this always ends.
    const patience = Math.max(0.5, 1 - Math.max(0, attempt - 20) * 0.01);
    const placed = classes.map((classIndex) => {
      const [low, high] = classes.length > 1 ? [0.36, 0.48] : [0.36, 0.64];
      const scale = (size * random.range(low, high) * patience) / 2;
      const { solids, turn } = shapeOf(classIndex);
      const angle = random.range(-turn, turn);
      const outline = solids.flat().map((point) => rotate(point, angle, scale));
      const outer = bounds(outline);
      const { x0, y0, x1, y1 } = outer;
      const cx = random.range(margin - x0, size - margin - x1);
      const cy = random.range(margin - y0, size - margin - y1);
      const box = { x0: cx + x0, y0: cy + y0, x1: cx + x1, y1: cy + y1 };
      return { placement: { classIndex, cx, cy, scale, angle, outer }, box };
    });
    const apart = placed.every((a, i) =>
      placed
        .slice(i + 1)
        .every(
          (b) =>
            a.box.x1 + gap < b.box.x0 ||
            b.box.x1 + gap < a.box.x0 ||
            a.box.y1 + gap < b.box.y0 ||
            b.box.y1 + gap < a.box.y0,
        ),
    );
    if (apart) return placed.map(({ placement }) => placement);
  }
}

function shapeOf(classIndex: number): Shape {
  const found = SHAPES[classIndex];
  if (!found) throw new RangeError(`There is no scene class ${classIndex}.`);
  return found;
}

function rotate([x, y]: Point, angle: number, scale: number): Point {
  const c = Math.cos(angle) * scale;
  const s = Math.sin(angle) * scale;
  return [x * c - y * s, x * s + y * c];
}

function drawObject(picture: Picture, placement: Placement, random: Random): SceneObject {
  const { classIndex, cx, cy, scale, angle, outer } = placement;
  const { size } = picture;
  const distance = shapeDistance(shapeOf(classIndex));
  const behind = picture.meanColour(cx, cy, scale);
  const base = standingOut(behind, random);
  const paint = randomPaint(base, random, scale);
  const outline = random.chance(0.5) ? size * random.range(0.006, 0.012) : 0;
  const ink: Colour = mix(base, luminance(base) > 110 ? [20, 18, 28] : [250, 248, 240], 0.8);
  const shadow = random.chance(0.5) ? random.range(0.25, 0.5) : 0;
  const drop = Math.round(size * 0.018);
  const blur = size * 0.03;

  const c = Math.cos(angle) / scale;
  const s = Math.sin(angle) / scale;
  // Object and shadow share one field of distances: finding them is what drawing a scene costs.
  const margin = Math.ceil(blur) + 1;
  const area = {
    x0: Math.floor(cx + outer.x0) - margin,
    y0: Math.floor(cy + outer.y0) - margin,
    x1: Math.ceil(cx + outer.x1) + margin,
    y1: Math.ceil(cy + outer.y1) + margin,
  };
  const width = area.x1 - area.x0;
  const height = area.y1 - area.y0;
  const field = new Float64Array(width * height);
  const exact = (column: number, row: number): number => {
    const x = area.x0 + column + 0.5 - cx;
    const y = area.y0 + row + 0.5 - cy;
    return distance(x * c + y * s, y * c - x * s) * scale;
  };
  // Only near the edge does the exact distance show: elsewhere one value does for a whole block.
  const block = 6;
  const near = Math.max(shadow > 0 ? blur : 0, outline + 1) + block;
  for (let top = 0; top < height; top += block) {
    for (let left = 0; left < width; left += block) {
      const middle = exact(left + block / 2, top + block / 2);
      for (let row = top; row < Math.min(height, top + block); row++) {
        for (let column = left; column < Math.min(width, left + block); column++) {
          field[row * width + column] = Math.abs(middle) > near ? middle : exact(column, row);
        }
      }
    }
  }
  const distanceAt = (px: number, py: number): number =>
    field[(Math.floor(py) - area.y0) * width + Math.floor(px) - area.x0] ?? Infinity;

  if (shadow > 0) {
    const darkness = (px: number, py: number): number =>
      shadow * smooth((blur - distanceAt(px - drop, py - drop)) / (2 * blur));
    picture.blend(shift(area, drop), darkness, () => BLACK);
  }

  const box = { x0: size, y0: size, x1: -1, y1: -1 };
  const coverage = (px: number, py: number): number => {
    const d = distanceAt(px, py);
    // A pixel belongs to the object when at least half of it is covered.
    if (d <= 0) {
      box.x0 = Math.min(box.x0, Math.floor(px));
      box.y0 = Math.min(box.y0, Math.floor(py));
      box.x1 = Math.max(box.x1, Math.floor(px));
      box.y1 = Math.max(box.y1, Math.floor(py));
    }
    return inked(d);
  };
  picture.blend(area, coverage, (px, py) => {
    const x = px - cx;
    const y = py - cy;
    const fill = paint(x * c + y * s, y * c - x * s);
    if (outline === 0) return fill;
    return mix(fill, ink, Math.min(1, Math.max(0, distanceAt(px, py) + outline + 0.5)));
  });

  return {
    classIndex,
    label: SCENE_CLASSES[classIndex] ?? '',
    box: { x: box.x0, y: box.y0, width: box.x1 - box.x0 + 1, height: box.y1 - box.y0 + 1 },
  };
}

// ---------------------------------------------------------------------------------------------
// Colours and patterns

const smooth = (t: number): number => {
  const u = Math.min(1, Math.max(0, t));
  return u * u * (3 - 2 * u);
};

/** How much of a pixel at a signed distance from an edge is covered. */
const inked = (d: number): number => Math.min(1, Math.max(0, 0.5 - d));

const mix = (a: Colour, b: Colour, t: number): Colour => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

const BLACK: Colour = [0, 0, 0];
const WHITE: Colour = [255, 255, 255];

const luminance = ([r, g, b]: Colour): number => 0.299 * r + 0.587 * g + 0.114 * b;

/** Hue in turns, saturation and lightness in [0, 1]. */
function hsl(hue: number, saturation: number, lightness: number): Colour {
  const a = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number): number => {
    const k = (n + hue * 12) % 12;
    return 255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}

/** The first of some random colours that is far from the one behind, else the farthest. */
function standingOut(behind: Colour, random: Random): Colour {
  let best = WHITE;
  let farthest = -1;
  for (let i = 0; i < 8 && farthest < 120; i++) {
    const colour = hsl(random.next(), random.range(0.45, 0.95), random.range(0.25, 0.75));
    const [r, g, b] = colour;
    const away =
      Math.hypot(r - behind[0], g - behind[1], b - behind[2]) * 0.6 +
      Math.abs(luminance(colour) - luminance(behind)) * 0.8;
    if (away > farthest) {
      farthest = away;
      best = colour;
    }
  }
  return best;
}

/** A pattern in two shades of one colour; `scale` is how many pixels one unit of its frame spans. */
function randomPaint(base: Colour, random: Random, scale: number, contrast = 0.38): Paint {
  const other = mix(base, luminance(base) > 128 ? BLACK : WHITE, contrast);
  const turn = random.range(0, Math.PI);
  const c = Math.cos(turn);
  const s = Math.sin(turn);
  const pitch = Math.max(5 / scale, random.range(0.14, 0.3));
  const soft = 1 / scale;
  const step = (d: number): number => smooth(0.5 + d / (2 * soft));
  const wave = (t: number): number => Math.abs(t / pitch - Math.floor(t / pitch) - 0.5) * pitch;
  const salt = random.whole(0, 1 << 30);
  const amount: readonly ((x: number, y: number) => number)[] = [
    () => 0,
    (x, y) => step(wave(x * c + y * s) - pitch / 4),
    (x, y) => {
      const a = step(wave(x * c + y * s) - pitch / 4);
      const b = step(wave(y * c - x * s) - pitch / 4);
      return a + b - 2 * a * b;
    },
    (x, y) => step(pitch * 0.28 - Math.hypot(wave(x * c + y * s), wave(y * c - x * s))),
    (x, y) => smooth(0.5 + (x * c + y * s) * 0.5),
    (x, y) => smooth(valueNoise(x * 4.5, y * 4.5, salt) * 1.6 - 0.3),
  ];
  const pattern = amount[random.whole(0, amount.length - 1)] ?? (() => 0);
  return (x, y) => mix(base, other, pattern(x, y));
}

/** A hash of a lattice point, in [0, 1). */
function latticeNoise(x: number, y: number, salt: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ salt;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

function valueNoise(x: number, y: number, salt: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const u = smooth(x - x0);
  const v = smooth(y - y0);
  const top = latticeNoise(x0, y0, salt) * (1 - u) + latticeNoise(x0 + 1, y0, salt) * u;
  const foot = latticeNoise(x0, y0 + 1, salt) * (1 - u) + latticeNoise(x0 + 1, y0 + 1, salt) * u;
  return top * (1 - v) + foot * v;
}

// ---------------------------------------------------------------------------------------------
// Background

function drawBackground(picture: Picture, random: Random): void {
  const { size } = picture;
  const dull = (): Colour => hsl(random.next(), random.range(0.05, 0.55), random.range(0.2, 0.85));

  const from = dull();
  const to = mix(from, dull(), random.range(0.3, 1));
  const turn = random.range(0, Math.PI * 2);
  const c = Math.cos(turn) / size;
  const s = Math.sin(turn) / size;
  const grain = random.range(0, 0.6);
  const pitch = random.range(8, 40) * (size / 224);
  const salt = random.whole(0, 1 << 30);
  picture.fill((x, y) => {
    const t = 0.5 + (x - size / 2) * c + (y - size / 2) * s;
    return mix(from, to, t + (valueNoise(x / pitch, y / pitch, salt) - 0.5) * grain);
  });

  for (let i = random.whole(0, 3); i > 0; i--) {
    const cx = random.range(0, size);
    const cy = random.range(0, size);
    const [w, h] = [size * random.range(0.1, 0.35), size * random.range(0.1, 0.35)];
    const angle = random.range(0, Math.PI);
    const paint = randomPaint(dull(), random, size / 4, 0.3);
    const alpha = random.range(0.3, 0.8);
    const [ca, sa] = [Math.cos(angle), Math.sin(angle)];
    const across = (px: number, py: number): number => (px - cx) * ca + (py - cy) * sa;
    const down = (px: number, py: number): number => (py - cy) * ca - (px - cx) * sa;
    picture.blend(
      around(cx, cy, Math.hypot(w, h) + 1),
      (px, py) => alpha * inked(Math.max(Math.abs(across(px, py)) - w, Math.abs(down(px, py)) - h)),
      (px, py) => paint((4 * across(px, py)) / size, (4 * down(px, py)) / size),
    );
  }

  for (let i = random.whole(0, 4); i > 0; i--) {
    const cx = random.range(0, size);
    const cy = random.range(0, size);
    const r = size * random.range(0.08, 0.3);
    const colour = dull();
    const alpha = random.range(0.2, 0.7);
    picture.blend(
      around(cx, cy, r),
      (px, py) => alpha * smooth(1 - Math.hypot(px - cx, py - cy) / r),
      () => colour,
    );
  }

  for (let i = random.whole(0, 6); i > 0; i--) {
    const at: Point = [random.range(0, size), random.range(0, size)];
    const length = size * random.range(0.15, 0.7);
    drawBar(picture, at, length, size * random.range(0.004, 0.012), dull(), random);
  }

  for (let i = random.whole(4, 16); i > 0; i--) {
    const at: Point = [random.range(0, size), random.range(0, size)];
    const colour = hsl(random.next(), random.range(0.3, 0.9), random.range(0.25, 0.8));
    if (random.chance(0.5)) {
      const length = size * random.range(0.03, 0.12);
      drawBar(picture, at, length, size * random.range(0.012, 0.035), colour, random);
    } else {
      drawHalfDisc(picture, at, size * random.range(0.008, 0.045), colour, random);
    }
  }
}

/** A bar centred at a point, at any angle. */
function drawBar(
  picture: Picture,
  [cx, cy]: Point,
  length: number,
  width: number,
  colour: Colour,
  random: Random,
): void {
  const angle = random.range(0, Math.PI);
  const alpha = random.range(0.6, 1);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const inkAt = (px: number, py: number): number => {
    const x = Math.abs((px - cx) * c + (py - cy) * s) - length / 2;
    const y = Math.abs((py - cy) * c - (px - cx) * s) - width / 2;
    return alpha * inked(Math.max(x, y));
  };
  picture.blend(around(cx, cy, length / 2 + width), inkAt, () => colour);
}

/** A disc, or half of one. */
function drawHalfDisc(
  picture: Picture,
  [cx, cy]: Point,
  r: number,
  colour: Colour,
  random: Random,
): void {
  const angle = random.range(0, Math.PI * 2);
  const cut = random.chance(0.5) ? 0 : -2 * r;
  const alpha = random.range(0.6, 1);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const inkAt = (px: number, py: number): number => {
    const side = cut - ((px - cx) * c + (py - cy) * s);
    return alpha * inked(Math.max(Math.hypot(px - cx, py - cy) - r, side));
  };
  picture.blend(around(cx, cy, r + 1), inkAt, () => colour);
}

// ---------------------------------------------------------------------------------------------
// Picture

/** A square RGBA picture that is painted over, layer by layer. Pixel centres lie at halves. */
class Picture {
  readonly size: number;
  readonly data: Uint8ClampedArray;

  constructor(size: number) {
    this.size = size;
    this.data = new Uint8ClampedArray(size * size * 4).fill(255);
  }

  fill(colourAt: Paint): void {
    for (let y = 0, at = 0; y < this.size; y++) {
      for (let x = 0; x < this.size; x++, at += 4) this.#put(at, colourAt(x + 0.5, y + 0.5));
    }
  }

  /** Paints over an area: `alphaAt` says how thickly, `colourAt` is asked only where it is at all. */
  blend(area: Bounds, alphaAt: (px: number, py: number) => number, colourAt: Paint): void {
    const { data, size } = this;
    const [x0, x1] = [Math.max(0, Math.floor(area.x0)), Math.min(size, Math.ceil(area.x1))];
    const [y0, y1] = [Math.max(0, Math.floor(area.y0)), Math.min(size, Math.ceil(area.y1))];
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) {
        const alpha = alphaAt(x + 0.5, y + 0.5);
        if (alpha <= 0) continue;
        const colour = colourAt(x + 0.5, y + 0.5);
        const at = (y * size + x) * 4;
        for (let channel = 0; channel < 3; channel++) {
          const below = data[at + channel] ?? 0;
          data[at + channel] = below + ((colour[channel] ?? 0) - below) * alpha;
        }
      }
    }
  }

  /** Mean of a grid of samples within `reach` of a point. */
  meanColour(cx: number, cy: number, reach: number): Colour {
    const sum: [number, number, number] = [0, 0, 0];
    const clamp = (v: number): number => Math.min(this.size - 1, Math.max(0, Math.floor(v)));
    for (let i = -3; i <= 3; i++) {
      for (let j = -3; j <= 3; j++) {
        const at = (clamp(cy + (i / 3) * reach) * this.size + clamp(cx + (j / 3) * reach)) * 4;
        const [r, g, b] = this.#colour(at);
        sum[0] += r / 49;
        sum[1] += g / 49;
        sum[2] += b / 49;
      }
    }
    return sum;
  }

  #put(at: number, colour: Colour): void {
    this.data[at] = colour[0];
    this.data[at + 1] = colour[1];
    this.data[at + 2] = colour[2];
  }

  #colour(at: number): Colour {
    const { data } = this;
    return [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
  }
}
