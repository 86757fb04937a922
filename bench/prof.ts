import { Gpu } from '../src/gpu/gpu';
import { Arena } from '../src/gpu/arena';
import { needsOf } from '../src/plan/needs';
import { openModel } from '../src/model/model';
import { seededModel } from './peers/models';
import { LoadedModel } from './measure/whole';
import { Timer } from './measure/timer';
import { prepareImage } from '../src/explain/image';

const w = window as any;
w.prof = async (name: string, count: number, runs: number) => {
  const model = await openModel(seededModel(name), undefined);
  const gpu = await Gpu.create({ needs: needsOf(model.network) });
  const blob = await (await fetch('../weights/scenes-vgg16/sample.png')).blob();
  const pixels = await prepareImage(await createImageBitmap(blob), (model.manifest as any).input);
  const loaded = await LoadedModel.load(gpu, model, pixels as any);
  const timer = new Timer(gpu, 3);
  const arena = new Arena(gpu);
  const forward = await loaded.target(arena);
  const acc = new Map<string, number[]>();
  const add = (which: string, times: any[]) => {
    const sums = new Map<string, number>();
    for (const t of times) { const key = `${which} ${t.kernel} ${t.label}`; sums.set(key, (sums.get(key) ?? 0) + t.ms); sums.set(`${which} all`, (sums.get(`${which} all`) ?? 0) + t.ms); }
    for (const [k, v] of sums) acc.set(k, [...(acc.get(k) ?? []), v]);
  };
  let n = 0;
  for (let i = 0; i < runs; i++) {
    const a = await timer.profile(() => loaded.forward()); if (i) add('plain', a);
    const b = await timer.profile(async () => { n = await loaded.masked(forward, count, { skip: false }); }); if (i) add('masked', b);
  }
  const med = (v: number[]) => v.sort((x, y) => x - y)[v.length >> 1] as number;
  return [`masks ${n}`, ...[...acc].map(([k, v]) => [k, med(v)] as const).sort((x, y) => y[1] - x[1]).map(([k, v]) => `${v.toFixed(2).padStart(8)} ms  ${k}`)];
};
