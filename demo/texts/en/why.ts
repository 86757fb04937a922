import work from './work';

export default {
  work,
  heading: 'Why not gradients?',
  lead:
    'Score-CAM runs the network once for every map. Gradients would be had for a single pass. Here is what speaks against ' +
    'them, with numbers that your own device computes now, and what speaks for them.',
  done: 'All numbers below were computed just now.',
  figures: 'The figures',
  cam: {
    title: '1. CAM needs a head that VGG has not',
    text: [
      'Class activation mapping (Zhou et al. 2016), where it all began, needs neither gradients nor extra passes: behind a ' +
        'global average pooling, the weights of the last layer say how much each map counts for a class. But nothing else ' +
        'may stand between the maps and the classes.',
    ],
    has: (name: string) => `What ${name} has behind its maps`,
    needs: 'What CAM would need',
    kinds: {
      conv: 'convolution',
      linear: 'fully connected',
      maxpool: 'max pooling',
      globalavgpool: 'global average pooling',
      windowconv: 'convolution',
      windowpool: 'pooling',
      add: 'sum',
      multiply: 'product',
      concat: 'concatenation',
      activation: 'activation',
    },
    pooling: (channels: number) =>
      `global average pooling: each of the ${channels} maps becomes one number`,
    linear: (classes: number) => `a single fully connected layer: ${classes} classes`,
    refused: 'Asked for CAM on this network, the library says:',
    defined: 'This network has such a head, so CAM is defined.',
    agreement: (difference: string) =>
      'Where there is such a head, gradients give the same: behind it the gradient of a class is just these weights, which ' +
      'is how Grad-CAM generalises CAM. On the same layers with a pooling head, whose weights are drawn at random, ' +
      `the weights of CAM and Grad-CAM differ, up to scale, by at most ${difference} of the largest.`,
  },
  saturation: {
    title: '2. Gradients saturate',
    text: [
      'A gradient says what a small change would do now. Where the network is sure already, a change does nothing, however ' +
        'much the evidence counts. So we walk from a picture without any evidence, the mean colour, to the whole picture, ' +
        'as Sundararajan et al. (2017) do, and look at score and gradient on the way.',
    ],
    alt: (label: string) => `The picture: ${label}`,
    chart:
      'On the way from the mean colour (0) to the whole picture (1): the probability, and the logit and both gradients ' +
      'as shares of their largest.',
    axes: { t: 'strength of the picture', share: 'share of the largest' },
    series: {
      probability: 'probability',
      ofProbability: 'gradient of the probability',
      logit: 'logit',
      ofLogit: 'gradient of the logit',
    },
    columns: {
      t: 'strength',
      probability: 'probability',
      logit: 'logit',
      ofProbability: 'gradient of the probability',
      ofLogit: 'gradient of the logit',
    },
    found: (label: string, p: string, probabilityLeft: string, logitLeft: string, peak: string) =>
      `The network is sure of its "${label}": ${p}. The gradient of the probability is largest at a strength of ${peak}, ` +
      `long before the picture is whole. At the whole picture ${probabilityLeft} of it is left, of the logit's gradient ` +
      `${logitLeft}. ` +
      "Its size is the Euclidean norm of Grad-CAM's weights, the mean gradients of the maps.",
    holds:
      'The probability saturates: all the evidence is there, and its gradient is as good as gone.',
    fails: 'On this picture the probability does not saturate.',
    logit: (left: string) =>
      'Grad-CAM, as published, takes the gradient of the logit, before the softmax. That one is spared the saturation of ' +
      `the softmax: here it keeps ${left}. It is not spared that of ReLU.`,
    silent: (share: string) =>
      `ReLU has set ${share} of the values between the maps and the classes to zero here. Through these, no gradient comes ` +
      'back at all, whatever they would say if the picture were a little different.',
  },
  confidence: {
    title: '3. False confidence',
    text: [
      'Does the map with the larger gradient weight also bring more? For every map we have both: the weight that Grad-CAM ' +
        'gives it, and the increase of confidence that Score-CAM measures when the network sees the picture through it.',
    ],
    axes: {
      title: 'All maps, by weight',
      weight: "Grad-CAM's weight (mean gradient of the logit)",
      increase: 'increase of confidence',
    },
    columns: { map: 'map', weight: "Grad-CAM's weight", increase: 'increase of confidence' },
    chart: (maps: number, label: string, pairs: string) =>
      `${maps} maps, asked for ${label}: weight by Grad-CAM against increase of confidence. ` +
      (pairs
        ? `Arrows join the worst pairs of false confidence, from the larger weight to the larger increase: ${pairs}`
        : ''),
    pair: (larger: number, smaller: number) =>
      `Map ${larger} weighs more than map ${smaller}, and brings less.`,
    found: (maps: number, falsePairs: number, pairs: number, share: string, correlation: string) =>
      `Over ${maps} maps the rank correlation of weight and increase is ${correlation} (Spearman). In ${falsePairs} of ` +
      `${pairs} pairs (${share}) the map with the larger weight brings the smaller increase.`,
    nothing: 'All maps have the same weight or bring the same: there is nothing to compare.',
    measured:
      'What a gradient promises of a map need not come true. Score-CAM does not ask the gradient: it tries the map out.',
    agree:
      'On this picture the gradients order the maps as measuring does: no false confidence shows.',
    whole: 'The picture',
    wholeCaption: (label: string, p: string) => `The whole picture: ${label} ${p}`,
    masked: (channel: number) => `The picture through map ${channel}`,
    maskedCaption: (channel: number, weight: string, points: string) =>
      `Map ${channel}: weight ${weight}, brings ${points} points`,
    strip:
      'As in Fig. 3 of the Score-CAM paper: from left to right the weight falls, and what the map brings rises. There, on ' +
      'VGG-16 and a photograph, the weights were 0.035, 0.027 and 0.021, and the map with the largest brought least. ' +
      'Points are percentage points of the probability over the baseline.',
  },
  classes: {
    title: '4. Two classes in one picture',
    text: [
      'A map is of use if it tells classes apart. Asked for one object and then for the other, where does each method look? ' +
        'For both classes Score-CAM reads the same masked passes; Grad-CAM goes back once for each.',
    ],
    increase: 'Score-CAM, Eq. 6',
    alt: (way: string, label: string) => `Where ${way} sees the ${label}`,
    caption: (way: string, label: string) => `${way}: ${label}`,
    columns: {
      method: 'method',
      asked: 'asked for',
      own: 'energy in its box',
      other: 'in the other box',
      apart: 'told apart',
    },
    yes: 'yes',
    no: 'no',
    apart:
      'Every map has more of its energy in the box of the object asked for (whole line) than in the other (dashed): these ' +
      'classes are told apart, by gradients as well.',
    mixed: (count: number) => `In ${count} of the maps the other box has as much energy or more.`,
    noBoxes:
      'These are the two likeliest classes. Where their objects are is not known here, so nothing is counted.',
  },
  honesty: {
    title: 'What this network cannot show',
    text: [
      'The small network of this site was trained, on purpose, with its maps pressed into the boxes of the objects. That ' +
        'makes for good maps by any method, and it makes it easy for gradients. So this page is an illustration of the ' +
        'argument and no proof of it.',
      'Its pictures are chosen, too: the scene of part 2 is the one of sixty unseen ones that the network is surest of, ' +
        'and the sample is the best explained of sixty.',
      'On 200 scenes of two objects, 400 maps a method, Score-CAM did not beat Grad-CAM with this network: 66.4 % of the ' +
        "energy lay in the box asked for (76.7 % with Eq. 6), against Grad-CAM's 82.3 %. The paper reports the opposite " +
        'on ImageNet, where a map of Score-CAM drops the confidence by 31.5 % and one of Grad-CAM by 47.8 %. ' +
        "The project's docs/evaluation.md has all figures and says where it loses.",
    ],
  },
};
