// How Winograd's tensors U (filters), V (transformed input) and M (product) stand in memory: as f32. Either this
// file or stored_f16.wgsl stands in front of the text of a kernel that reads or writes them, so that the kernel
// is written once for both. Sums are f32 in both.

alias Stored = f32;
alias Stored4 = vec4f;

fn store_u(value: vec4f) -> Stored4 {
  return value;
}

fn store_v(value: f32) -> Stored {
  return value;
}

fn store_m(value: vec4f) -> Stored4 {
  return value;
}

fn load_m(value: Stored) -> f32 {
  return value;
}
