import { Waiting } from '../../src/gpu/waiting';
import { createExplainer } from '../../src/index';
import type { GpuCase } from '../harness/case';
import { smallImage, smallModel } from '../harness/small-model';

/** Waiting for the queue: how often, and in browsers that are slow to look. */

export const cases: readonly GpuCase[] = [
  {
    name: 'an explanation is a submit for each batch and four besides, each waited for once',
    async run({ device }) {
      const model = smallModel();
      const explainer = await createExplainer({ model, device });
      const { submits, waits, restore } = counted(device);
      try {
        // What skipping rests on is made once for all images.
        await explainer.explain(smallImage(), { method: 'score-cam' });
        for (const list of [submits, waits]) list.length = 0;
        await explainer.explain(smallImage(17, 14, 7), { method: 'score-cam' });
      } finally {
        restore();
        explainer.dispose();
      }
      const batches = submits.filter((label) => label.startsWith('passes '));
      const others = submits.filter((label) => !label.startsWith('passes '));
      if (batches.length < 1) throw new Error(`no batch among ${submits.join(', ')}`);
      const expected = [/^forward /, /^tiles that masks reach$/, /^head of passes/, /^map$/];
      if (others.length !== 4 || !expected.every((start, i) => start.test(others[i] as string))) {
        throw new Error(`submitted: ${others.join(', ')}`);
      }
      if (waits.length !== submits.length) {
        throw new Error(`${submits.length} submits were waited for ${waits.length} times`);
      }
      return `${submits.length} submits`;
    },
  },
  {
    name: 'a queue that tells of finished work only when something is submitted is kept awake, and no other',
    async run({ device }) {
      const { queue } = device;
      let submits = 0;
      let asleep: (() => void)[] = [];
      const sleepy = {
        // As Firefox, but that no timer ends a sleep later on.
        async onSubmittedWorkDone() {
          await queue.onSubmittedWorkDone();
          if (submits === 0) await new Promise((resolve) => setTimeout(resolve, 100));
          else await new Promise<void>((resolve) => asleep.push(resolve));
          return undefined;
        },
        submit(buffers: Iterable<GPUCommandBuffer>) {
          submits++;
          queue.submit(buffers);
          for (const wake of asleep) wake();
          asleep = [];
        },
      } as unknown as GPUQueue;
      const waiting = new Waiting(sleepy);
      // The probe sleeps as long.
      await new Promise((resolve) => setTimeout(resolve, 300));
      sleepy.submit([]);
      const both = [sleepy.onSubmittedWorkDone(), sleepy.onSubmittedWorkDone()];
      await Promise.all(both.map((work) => waiting.for(work)));
      if (submits < 2) throw new Error(`${submits} submits woke it`);
      const prompt = new Waiting(queue);
      await queue.onSubmittedWorkDone();
      await prompt.for(queue.onSubmittedWorkDone());
      return undefined;
    },
  },
];

/** Labels of a device's submits, and what is waited for, as they come. */
function counted(device: GPUDevice) {
  const { queue } = device;
  const submits: string[] = [];
  const waits: string[] = [];
  const submit = queue.submit.bind(queue);
  const done = queue.onSubmittedWorkDone.bind(queue);
  const create = device.createBuffer.bind(device);
  queue.submit = (buffers) => {
    const all = [...buffers];
    submits.push(...all.map(({ label }) => label));
    return submit(all);
  };
  queue.onSubmittedWorkDone = () => {
    waits.push('the queue');
    return done();
  };
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const map = buffer.mapAsync.bind(buffer);
    buffer.mapAsync = (...args) => {
      waits.push(buffer.label);
      return map(...args);
    };
    return buffer;
  };
  const restore = (): void => {
    queue.submit = submit;
    queue.onSubmittedWorkDone = done;
    device.createBuffer = create;
  };
  return { submits, waits, restore };
}
