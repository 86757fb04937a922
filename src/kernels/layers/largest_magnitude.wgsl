// The largest magnitude of a tensor, or of a part of it, joined to what its slot holds.
//
//   slots[slot] = max(slots[slot], |values[first + i]| over i < count)
//
// Shapes: values [at least first + count] f32, slots [slots] f32, both read as their bits: without the sign, bits are in
// the order of the magnitudes, those of infinity above all finite ones, those of NaN above infinity; and no compiler
// that takes floats to be finite has a say. Invocations take turns at the values, neighbours side by side; each joins
// its own to the slot unless that holds as much already, which soon it does. No barrier: on a software adapter one costs
// more than the atomics. Reads 4 bytes a value.

struct Params {
  first: u32,
  count: u32,
  slot: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> slots: array<atomic<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var largest = 0u;
  for (var i = id.x; i < params.count; i += groups.x * 64u) {
    largest = max(largest, values[params.first + i] & 0x7fffffffu);
  }
  if (largest > atomicLoad(&slots[params.slot])) {
    atomicMax(&slots[params.slot], largest);
  }
}
