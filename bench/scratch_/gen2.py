import json
def kern(J,T,N):
    # J channels (mult of 4), T vec4 of tiles
    s="""
struct Params { channels: u32, out_stride: u32, stride: u32, }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> filters: array<Stored4>;
@group(0) @binding(2) var<storage, read> transformed: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> product: array<Stored4>;
@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let blocks = params.out_stride / %du;
  let stride = params.stride / 4u;
  let cols = (stride + %du) / %du;
  if (id.x >= blocks * cols) { return; }
  let block = id.x %% blocks;
  let tiles = id.x / blocks * %du;
  let ustep = params.out_stride / 4u;
  var u_at = id.z * params.channels * ustep + block * %du;
  var v_at = id.z * params.channels * stride + tiles;
"""%(J,T-1,T,T,J//4)
    for j in range(J):
        for t in range(T): s+="  var s%d_%d = vec4f(0);\n"%(j,t)
    def loads(k):
        r=""
        for q in range(J//4): r+="    let u%d_%d = vec4f(filters[u_at + %du * ustep + %du]);\n"%(q,k,k,q)
        for t in range(T): r+="    let v%d_%d = vec4f(transformed[v_at + %du * stride + %du]);\n"%(t,k,k,t)
        return r
    def macs(ks):
        r=""
        for j in range(J):
            for t in range(T): r+="    s%d_%d += "%(j,t)+" + ".join("u%d_%d.%s * v%d_%d"%(j//4,k,"xyzw"[j%4],t,k) for k in ks)+";\n"
        return r
    s+="  var c = 0u;\n  for (; c + %du <= params.channels; c += %du) {\n"%(N,N)
    for k in range(N): s+=loads(k)
    s+=macs(range(N))+"    u_at += %du * ustep;\n    v_at += %du * stride;\n  }\n"%(N,N)
    s+="  for (; c < params.channels; c++) {\n"+loads(0)+macs([0])+"    u_at += ustep;\n    v_at += stride;\n  }\n"
    s+="  let at = (id.z * params.out_stride + block * %du) * stride + tiles;\n"%J
    for j in range(J):
        for t in range(T): s+="  product[at + %du * stride + %du] = s%d_%d;\n"%(j,t,j,t)
    return s+"}\n"
d={"8x4x1":kern(8,4,1),"8x4x2":kern(8,4,2),"8x4x3":kern(8,4,3),"8x2x2":kern(8,2,2),"8x2x4":kern(8,2,4),"4x4x2":kern(4,4,2),"4x4x4":kern(4,4,4),"16x2x2":kern(16,2,2),"8x1x4":kern(8,1,4),"4x2x4":kern(4,2,4)}
json.dump(d,open('/work/main/bench/scratch_/variants.json','w'))
