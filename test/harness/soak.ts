/// Runs in a page: uses explainers over and over, and says what is alive on the GPU meanwhile.
import {
  createExplainer,
  type Explainer,
  type ExplainOptions,
  type Explanation,
} from '../../src/index';
import { smallImage, smallModel } from './small-model';

/** What lives on the GPU, of all that this page has asked for. */
export interface Alive {
  readonly devices: number;
  /** All but uniforms. */
  readonly buffers: number;
  readonly bytes: number;
  /** Kept for the next submits: as many as were in flight at once. */
  readonly uniforms: number;
}

const alive = { devices: 0, buffers: 0, bytes: 0, uniforms: 0 };

/** Counts devices and buffers from here on, whoever makes and ends them. */
function count(): void {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    alive.devices++;
    void device.lost.then(() => alive.devices--);
    return device;
  };
  const add = ({ size, usage }: GPUBuffer, sign: 1 | -1): void => {
    if (usage & GPUBufferUsage.UNIFORM) alive.uniforms += sign;
    else {
      alive.buffers += sign;
      alive.bytes += sign * size;
    }
  };
  const living = new WeakSet<GPUBuffer>();
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    living.add(buffer);
    add(buffer, 1);
    return buffer;
  };
  const { destroy } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function () {
    if (living.delete(this)) add(this, -1);
    return destroy.call(this);
  };
}

/** Of a map of 12 kB: more than all that heaps hold of arrays varies by. */
const SIZE = [64, 48] as const;
const create = (): Promise<Explainer> =>
  createExplainer({ model: smallModel({ width: SIZE[0], height: SIZE[1] }) });

/** Ways of use, taken in turn. */
const USES: readonly ExplainOptions[] = [
  {},
  { onPreview: () => {} },
  { method: 'grad-cam' },
  { method: 'rise', masks: 20 },
  { method: 'ablation-cam' },
];

let explainer: Explainer;

/** So many explanations, each of another image, with another class and a picture; what is alive after each. */
async function explain(many: number): Promise<Alive[]> {
  explainer ??= await create();
  const after: Alive[] = [];
  for (let i = 0; i < many; i++) {
    const explanation = await explainer.explain(smallImage(...SIZE, i), USES[i % USES.length]);
    await (await explanation.forClass(0)).overlay();
    after.push({ ...alive });
  }
  return after;
}

/** So many explainers, each with a device of its own, made, used and disposed of; what is alive after each. */
async function cycle(many: number): Promise<Alive[]> {
  const after: Alive[] = [];
  for (let i = 0; i < many; i++) {
    const { devices } = alive;
    const own = await create();
    await own.explain(smallImage(...SIZE, i));
    own.dispose();
    // That a device is gone is told a little later.
    while (alive.devices > devices) await new Promise((resolve) => setTimeout(resolve));
    after.push({ ...alive });
  }
  return after;
}

const bitsOf = ({ map, scores, weights }: Explanation): string =>
  [map.data, scores, weights]
    .map(({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length).join())
    .join(';');

/** Which of so many explanations at the same time are not, bit for bit, what they are alone. */
async function together(many: number): Promise<number[]> {
  const works = Array.from({ length: many }, (_, i) => async () => {
    return bitsOf(await explainer.explain(smallImage(...SIZE, i), USES[i % USES.length]));
  });
  const alone: string[] = [];
  for (const work of works) alone.push(await work());
  const all = await Promise.all(works.map((work) => work()));
  return all.flatMap((bits, i) => (bits === alone[i] ? [] : [i]));
}

/** What is alive when all is disposed of. */
async function end(): Promise<Alive> {
  explainer.dispose();
  while (alive.devices > 0) await new Promise((resolve) => setTimeout(resolve));
  return alive;
}

const soak = { explain, cycle, together, end, adapter: () => explainer.adapter };

declare global {
  interface Window {
    soak: typeof soak;
  }
}
count();
window.soak = soak;
