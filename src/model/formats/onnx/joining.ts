import { type Draft, LARGEST_KERNEL, type Weight } from './draft';

/**
 * What one layer computes in one go, exporters write as several nodes: activations, batch normalisation and biases become
 * part of the layers before them, where nobody else reads these. Layers that the last one does not need are left out.
 * @param drafts each behind those that it reads @param last whose output is the network's
 * @returns the layers that remain, in their order
 */
export function joinLayers(
  drafts: readonly Draft[],
  last: Draft,
  fail: (problem: string) => never,
): Draft[] {
  const needed = reachable(drafts, last);
  for (const draft of needed) {
    gate(draft);
    hardSwish(draft);
  }
  const readers = new Map<Draft, number>();
  const kept = reachable(needed, last);
  for (const { inputs } of kept) {
    for (const input of inputs) readers.set(input, (readers.get(input) ?? 0) + 1);
  }
  /** What a layer has become part of. */
  const partOf = new Map<Draft, Draft>();
  const remaining: Draft[] = [];
  for (const draft of kept) {
    draft.inputs = draft.inputs.map((input) => partOf.get(input) ?? input);
    const [before] = draft.inputs;
    if (
      before &&
      draft.inputs.length === 1 &&
      readers.get(before) === 1 &&
      takesIn(before, draft)
    ) {
      partOf.set(draft, before);
      readers.set(before, readers.get(draft) ?? 0);
    } else {
      remaining.push(draft);
    }
  }
  return convolveInTheMiddle(remaining, fail);
}

/** Those that `last` depends on. */
function reachable(drafts: readonly Draft[], last: Draft): Draft[] {
  const found = new Set([last]);
  for (const draft of [...drafts].reverse()) {
    if (found.has(draft)) for (const input of draft.inputs) found.add(input);
  }
  return drafts.filter((draft) => found.has(draft));
}

/** x sigmoid(x) is SiLU, x hardsigmoid(x) hard swish. */
function gate(draft: Draft): void {
  if (draft.type !== 'multiply') return;
  for (const [x, gated] of [draft.inputs, [...draft.inputs].reverse()]) {
    if (!x || gated?.type !== 'activation' || gated.inputs[0] !== x) continue;
    const { activation } = gated;
    if (activation !== 'sigmoid' && activation !== 'hardsigmoid') continue;
    become(draft, x, activation === 'sigmoid' ? 'silu' : 'hardswish');
    return;
  }
}

/** min(max(x + 3, 0), 6) / 6 is a hard sigmoid; times x, before or after the quotient, hard swish. */
function hardSwish(draft: Draft): void {
  const [input] = draft.inputs;
  if (draft.type !== 'scale' || draft.bias || !input || !isAll(draft.weight, 1 / 6)) return;
  const x = shiftedUpTo6(input);
  if (x) {
    become(draft, x, 'hardsigmoid');
    return;
  }
  if (input.type !== 'multiply') return;
  for (const [factor, gated] of [input.inputs, [...input.inputs].reverse()]) {
    if (!factor || !gated || shiftedUpTo6(gated) !== factor) continue;
    become(draft, factor, 'hardswish');
    return;
  }
}

/** The x of min(max(x + 3, 0), 6). */
function shiftedUpTo6(draft: Draft): Draft | undefined {
  const [shifted] = draft.inputs;
  const isRight =
    draft.type === 'activation' &&
    draft.activation === 'relu6' &&
    shifted?.type === 'scale' &&
    !shifted.weight &&
    !shifted.batchNorm &&
    isAll(shifted.bias, 3);
  return isRight ? shifted.inputs[0] : undefined;
}

function isAll(weight: Weight | undefined, value: number): boolean {
  return (
    weight?.kind === 'computed' && weight.values.every((each) => Math.abs(each - value) < 1e-6)
  );
}

function become(draft: Draft, input: Draft, activation: Draft['activation']): void {
  Object.assign(draft, { type: 'activation', inputs: [input], activation, weight: undefined });
}

const ACTIVATED: readonly Draft['type'][] = ['conv', 'scale', 'linear', 'add', 'multiply'];

/** Makes `draft` part of the layer before it, where that is possible. */
function takesIn(before: Draft, draft: Draft): boolean {
  if (before.activation) return false;
  if (draft.type === 'activation') {
    if (!ACTIVATED.includes(before.type)) return false;
    before.activation = draft.activation;
    return true;
  }
  const isSum = before.type === 'conv' || before.type === 'linear';
  if (draft.type !== 'scale' || !isSum || before.batchNorm || draft.weight) return false;
  if (draft.batchNorm) {
    before.batchNorm = draft.batchNorm;
    return true;
  }
  if (before.bias) return false;
  before.bias = draft.bias;
  return true;
}

/**
 * Fully connected layers are the network's last, one after the other. What stands elsewhere (squeeze and excitation) is
 * a convolution whose window is all of its input.
 */
function convolveInTheMiddle(drafts: Draft[], fail: (problem: string) => never): Draft[] {
  let head = drafts.length;
  while (drafts[head - 1]?.type === 'linear') {
    const reader = drafts[head];
    if (reader && reader.inputs[0] !== drafts[head - 1]) break;
    head--;
  }
  for (const draft of drafts.slice(0, head)) {
    const [input] = draft.inputs;
    if (draft.type !== 'linear' || !input) continue;
    const { height, width } = input.shape;
    if (height > LARGEST_KERNEL || width > LARGEST_KERNEL) {
      fail(
        `has a matrix, "${draft.name}", over ${height}x${width} and other layers behind it; supported is at most ` +
          `${LARGEST_KERNEL}x${LARGEST_KERNEL} there.`,
      );
    }
    draft.type = 'conv';
    draft.window = { kernel: [height, width], stride: [1, 1], padding: [0, 0, 0, 0] };
  }
  return drafts;
}
