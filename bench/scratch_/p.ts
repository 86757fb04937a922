import v from './variants.json';
import stored from '../../src/kernels/stored_f32.wgsl?raw';
(window as any).go = async (C: number, O: number, T: number, rounds: number) => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const device = await adapter.requestDevice({ requiredFeatures: ['timestamp-query'] as any });
  const E = 36;
  const mk = (n: number, d?: Float32Array) => { const b = device.createBuffer({ size: n * 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST }); if (d) device.queue.writeBuffer(b, 0, d as any); return b; };
  const rnd = (n: number) => Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 101) / 50 - 1);
  const f = mk(E * C * O, rnd(E * C * O)), t = mk(E * C * T, rnd(E * C * T));
  const out: any = {}; let ref: Float32Array | undefined; const pipes: any = {};
  for (const [name, code] of Object.entries(v as any)) {
    const module = device.createShaderModule({ code: stored + code });
    const t0 = performance.now();
    const pipe = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
    const u = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST }); device.queue.writeBuffer(u, 0, new Uint32Array([C, O, T, 0]));
    const m = mk(E * O * T);
    const bg = device.createBindGroup({ layout: pipe.getBindGroupLayout(0), entries: [u, f, t, m].map((buffer, binding) => ({ binding, resource: { buffer } })) });
    pipes[name] = { pipe, bg, m }; out[name] = { compile: Math.round(performance.now() - t0), ms: [] };
  }
  for (let r = 0; r < rounds; r++) for (const name of Object.keys(pipes)) {
    const { pipe, bg, m } = pipes[name];
    const e = device.createCommandEncoder(); const p = e.beginComputePass(); p.setPipeline(pipe); p.setBindGroup(0, bg); { const [J, TT] = name.split('x').map(Number) as any; p.dispatchWorkgroups(Math.ceil((O / J) * (T / (4 * TT)) / 16), 1, E); }; p.end();
    const t0 = performance.now(); device.queue.submit([e.finish()]); await device.queue.onSubmittedWorkDone(); out[name].ms.push(Math.round(10 * (performance.now() - t0)) / 10);
    if (r === 0) {
      const s = device.createBuffer({ size: E * O * T * 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }); const e2 = device.createCommandEncoder(); e2.copyBufferToBuffer(m, 0, s, 0, E * O * T * 4); device.queue.submit([e2.finish()]); await s.mapAsync(GPUMapMode.READ); const d = new Float32Array(s.getMappedRange().slice(0));
      if (!ref) ref = d; else { let w = 0; for (let i = 0; i < d.length; i++) w = Math.max(w, Math.abs(d[i]! - ref[i]!)); out[name].diff = w; } s.destroy();
    }
  }
  device.destroy();
  return out;
};
