import work from './work';

export default {
  work,
  heading: 'How it works',
  lead:
    'One picture, followed through Score-CAM step by step. Every picture and every number below comes from the buffers ' +
    'of a run that your own device has just made.',
  done: (passes: number, milliseconds: number) =>
    `${passes} passes through the network in ${milliseconds} ms.`,
  picture: {
    title: '1. The network looks at the picture',
    alt: 'The picture as the network sees it',
    text: (name: string, width: number, height: number, classes: number) =>
      `The network ${name} sees ${width} x ${height} pixels and gives each of ${classes} classes a probability. ` +
      'The question is what in the picture speaks for one of them.',
    choose: 'The class asked for',
  },
  maps: {
    title: '2. Its activation maps',
    map: (channel: number) => `map ${channel}`,
    text: (layer: string, count: number, width: number, height: number) =>
      `On the way, the layer ${layer} has left ${count} maps of ${width} x ${height} values. Each shows where one ` +
      'feature was found. Each is drawn here from its own smallest value (dark) to its own largest (bright).',
    constant: (count: number) =>
      count === 0
        ? 'None of them is constant.'
        : `${count} of them ${count === 1 ? 'is' : 'are'} the same everywhere: such a map marks nothing, gets no pass ` +
          'and weighs nothing. It is left out here.',
    sort: 'Order',
    sorts: {
      weight: 'by weight, largest first',
      increase: 'by increase of confidence (CIC), largest first',
      deviation: 'by standard deviation, largest first',
      channel: 'by number',
    },
    sameOrder: (baseline: string) =>
      'By weight and by increase of confidence the order is the same: the two differ by what the baseline gets, ' +
      `${baseline}, and that is the same for all maps. Choose a map to follow it through the next steps.`,
  },
  upsampled: {
    title: '3. A map, upsampled',
    text: (mapWidth: number, mapHeight: number, width: number, height: number) =>
      `From ${mapWidth} x ${mapHeight} to ${width} x ${height} values, each interpolated between its four neighbours ` +
      '(bilinear).',
    alt: (name: string) => `${name}, upsampled`,
    range: (name: string, min: string, max: string) =>
      `${name}: as the layer left it, and upsampled. Its values now go from ${min} to ${max}.`,
  },
  normalised: {
    title: '4. Normalised: a mask',
    text: 'The smallest value becomes 0 (black), the largest 1 (white), so that every map masks as strongly as any other.',
    alt: (name: string) => `The mask made from ${name}`,
  },
  masked: {
    title: '5. The masked picture',
    text:
      'The mask is multiplied with the picture. What it hides turns into the mean colour of the training pictures, ' +
      'which is where the network begins. In the run no masked picture ever exists: the first convolution masks while ' +
      'it loads. This one was made, by the kernels of the same library, for you to look at.',
    alt: (name: string) => `The picture through the mask of ${name}`,
  },
  score: {
    title: '6. Its class score',
    text:
      'The network looks again, at what the mask has left. What the class gets now, less what it gets without any ' +
      'picture, is the increase of confidence that the map brings.',
    caption: (name: string, label: string) => `${name}, asked for ${label}`,
    probability: 'Probability, masked, in the run',
    again: 'The same, of a pass over the picture of step 5',
    baseline: 'Probability of the baseline',
    increase: 'Increase of confidence, in percentage points',
    whole: 'Probability of the whole picture',
    logits: 'Logit, masked: in the run; of the picture of step 5',
  },
  sum: {
    title: '7. The weighted sum',
    text:
      'The maps are added up, each times its weight. What is below zero is cut off, and the sum is stretched ' +
      'to the range from 0 to 1. Move the slider: the maps come in the order of step 2.',
    slider: 'Maps in the sum',
    count: (count: number, of: number, channel: number, share: string) =>
      `${count} of ${of} maps, map ${channel} the last of them; ${share} of all weight.`,
    none: 'No map: nothing to show.',
    off: (most: string) => `At most ${most} away from the finished map.`,
    finished: 'This is the finished map, value for value.',
    alt: (label: string, count: number) =>
      `The picture with the heat map for ${label} from ${count} maps`,
    official:
      "The paper takes the increase of Eq. 6 as the weight α. The authors' own code, and this library unless it is told " +
      'otherwise, leave the baseline out: α is the probability under the mask.',
  },
  equations: {
    6: 'The increase of confidence C of map A k of layer l is the score f of the picture X under the mask H k, less the score of the baseline X b.',
    7: 'The mask H k is the map, upsampled (Up) and normalised (s).',
    8: 'Normalising takes the smallest value from each, and divides by the distance from the smallest to the largest.',
    9: 'The map L of class c is the sum of all maps, each times its weight α, with what is below zero set to zero (ReLU).',
  },
  honesty: 'Eq. 6 to 9: Wang et al. 2020, "Score-CAM", arXiv 1910.01279.',
};
