export default {
  title: 'Documentation',
  lead:
    'Made from the sources of this very version: what functions, options and methods are called here is what they are ' +
    'called in the code.',
  /** Where what follows is English in every language. */
  fromSources: '',
  contents: 'Contents',

  start: 'On a page of your own',

  element: 'The element',
  elementAttributes: 'Attributes',
  elementProperties: 'Properties',
  elementMethods: 'Methods of the element',
  elementEvents: 'Events',
  elementSlots: 'Slots',
  elementParts: 'CSS parts',
  elementStyles: 'CSS custom properties',
  name: 'Name',
  type: 'Type',
  usual: 'Default',
  description: 'Description',

  methods: 'Methods',
  methodsLead: (channels: number, positions: string) =>
    `What each does, and the passes it takes for one image: of a network with ${channels} maps of ${positions} in its ` +
    'target layer, as VGG-16 has them.',
  method: 'Method',
  does: 'What it does',
  source: 'Source',
  passes: 'Passes',
  cost: (forward: number, backward: number, head: number) =>
    [
      `${forward} forward`,
      ...(backward > 0 ? [`${backward} backward`] : []),
      ...(head > 0 ? [`${head} of the last layers`] : []),
    ].join(', '),

  options: 'Options of methods',
  option: 'Option',
  values: 'Values',
  takenBy: 'Taken by',
  range: (least: number, most: number, whole: boolean) =>
    `${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`,

  api: 'Functions and types',
  evaluation: 'Evaluation',
  kinds: {
    function: 'Functions',
    class: 'Classes',
    constant: 'Constants',
    interface: 'Interfaces',
    type: 'Types',
  },
};
