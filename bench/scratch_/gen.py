# variant: K unrolled by n in one expression
import sys
src=open('/work/main/src/kernels/winograd_product.wgsl').read()
def variant(n, seq):
    a=src.index("  for (var c = 0u;"); b=src.index("  let at = ")
    body="  var c = 0u;\n  for (; c + %du <= params.channels; c += %du) {\n"%(n,n)
    def loads(k,ind):
        s=""
        U="u_at + %du * ustep"%k; V="v_at + %du * stride"%k
        if seq:
            for j in range(8): s+=ind+"let u%d_%d = f32(filters[%s + %du]);\n"%(j,k,U,4*j)
        else:
            s+=ind+"let ua%d = vec4f(filters[%s]);\n"%(k,U)+ind+"let ub%d = vec4f(filters[%s + 1u]);\n"%(k,U)
        for t in range(4): s+=ind+"let v%d_%d = vec4f(transformed[%s + %du]);\n"%(t,k,V,t)
        return s
    def u(j,k): return "u%d_%d"%(j,k) if seq else ("ua%d.%s"%(k,"xyzw"[j]) if j<4 else "ub%d.%s"%(k,"xyzw"[j-4]))
    def macs(ks,ind):
        s=""
        for j in range(8):
            for t in range(4):
                s+=ind+"s%d%d += "%(j,t)+" + ".join("%s * v%d_%d"%(u(j,k),t,k) for k in ks)+";\n"
        return s
    for k in range(n): body+=loads(k,"    ")
    body+=macs(range(n),"    ")+"    u_at += %du * ustep;\n    v_at += %du * stride;\n  }\n"%(n,n)
    if n>1:
        body+="  for (; c < params.channels; c++) {\n"+loads(0,"    ")+macs([0],"    ")+"    u_at += ustep;\n    v_at += stride;\n  }\n"
    s=src[:a]+body+src[b:]
    if seq:
        s=s.replace("var<storage, read> filters: array<Stored4>","var<storage, read> filters: array<Stored>")
        # lanes: block of 32 channels; o = group*32 + j*4 + lane
        s=s.replace("  let block = id.x % blocks;\n  let tiles = id.x / blocks * 4u;\n  var u_at = id.z * params.channels * blocks * 2u + block * 2u;","  let lanes = params.out_stride / 8u;\n  let block = id.x % blocks;\n  let first = block / 4u * 32u + block % 4u;\n  let tiles = id.x / blocks * 4u;\n  let ustep = params.out_stride;\n  var u_at = id.z * params.channels * params.out_stride + first;")
        s=s.replace("(id.z * params.out_stride + block * 8u) * stride + tiles","(id.z * params.out_stride + first) * stride + tiles")
        for j in range(1,8): s=s.replace("product[at + %du * stride"%j,"product[at + %du * stride"%(4*j)) if False else s
        import re
        s=re.sub(r"product\[at \+ (\d)u \* stride",lambda m:"product[at + %du * stride"%(4*int(m.group(1))),s)
    else:
        s=s.replace("  var u_at =","  let ustep = blocks * 2u;\n  var u_at =")
    return s
import json
json.dump({"base":src,"n2":variant(2,False),"n4":variant(4,False),"seq1":variant(1,True),"seq2":variant(2,True),"seq4":variant(4,True)},open('/work/main/bench/scratch_/variants.json','w'))
