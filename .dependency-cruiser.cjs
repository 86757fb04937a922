/*
 * Which room may import from which. A room imports from those before it in this list, and from nothing else; inside
 * src/kernels the kinds of kernels share what is in `shared`. test/rooms.test.ts and `npm run lint` hold to it.
 */
const ROOMS = [
  'src/errors.ts',
  'src/numbers',
  'src/gpu',
  'src/kernels',
  'src/model',
  'src/plan',
  'src/runtime',
  'src/explain',
  'src/evaluation',
  'src/explainer-api.ts',
  'src/remote',
  'src/explainer.ts',
  'src/index.ts',
  'src/worker.ts',
  'src/embedded-model.ts',
  'src/element',
  'src/single.ts',
];

/** Rooms that do without some that come before them. */
const APART = [
  ['src/model', 'src/gpu', 'A network is described without a word about who computes it.'],
  ['src/model', 'src/kernels', 'A network is described without a word about how it is computed.'],
];

const pathOf = (room) => `^${room.replaceAll('.', '\\.')}${room.endsWith('.ts') ? '$' : '/'}`;

const fromAbove = ROOMS.slice(0, -1).map((room, i) => ({
  name: `${room} imports from above`,
  comment: 'Arrows between rooms point one way: see src/*/README.txt.',
  severity: 'error',
  from: { path: pathOf(room) },
  to: { path: ROOMS.slice(i + 1).map(pathOf) },
}));

const apart = APART.map(([room, other, comment]) => ({
  name: `${room} without ${other}`,
  comment,
  severity: 'error',
  from: { path: pathOf(room) },
  to: { path: pathOf(other) },
}));

module.exports = {
  forbidden: [
    ...fromAbove,
    ...apart,
    {
      name: 'the element stands on the public API',
      comment:
        'As any page does. The tables of colours are data, and what its one file begins with is the worker.',
      severity: 'error',
      from: { path: '^src/element/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/element/',
          '^src/(index|embedded-model)\\.ts$',
          '^src/worker\\.ts$',
          '^src/kernels/maps/colour_maps\\.ts$',
        ],
      },
    },
    {
      name: 'kinds of kernels stand apart',
      comment: 'What two kinds of kernels need is in src/kernels/shared.',
      severity: 'error',
      from: { path: '^src/kernels/([^/]+)/' },
      to: {
        path: '^src/kernels/',
        pathNot: ['^src/kernels/$1/', '^src/kernels/shared/', '^src/kernels/[^/]+$'],
      },
    },
    {
      name: 'the library stands on its own',
      comment: 'No package, and nothing of what people run: the library has no dependencies.',
      severity: 'error',
      from: { path: '^src/' },
      to: { pathNot: '^src/' },
    },
    {
      name: 'tests are above all',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'no circles',
      comment: 'Types count too: two files that need each other are one idea, or three.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Imports of types are imports.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
