// Back through max pooling over windows of 2 x 2 with stride 2.
//
//   result[p, y, x] = gradient[p, y / 2, x / 2]   where input[p, y, x] is the first largest of its window
//                   = 0                           elsewhere, and in an odd last row or column
//
// Shapes: input and result [planes, HEIGHT, WIDTH], gradient [planes, HEIGHT / 2, WIDTH / 2], rounded down.
// First is first in scan order, as in PyTorch: of equal values, ReLU's zeros above all, one gets it all.
// One invocation a window, and one more a row or column for what no window covers; neighbours have
// neighbouring windows. Reads 20 bytes and writes 16 a window: bound by memory.
// Precondition: HEIGHT and WIDTH at least 2.

override HEIGHT: u32;
override WIDTH: u32;

struct Params {
  planes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

// Zeros for what is left of a window at the border.
fn clear(plane: u32, y: u32, x: u32) {
  if (y < HEIGHT && x < WIDTH) {
    result[(plane * HEIGHT + y) * WIDTH + x] = 0.0;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let rows = (HEIGHT + 1u) / 2u;
  let columns = (WIDTH + 1u) / 2u;
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.planes * rows * columns) {
    return;
  }
  let x = i % columns;
  let y = (i / columns) % rows;
  let plane = i / (columns * rows);
  if (y >= HEIGHT / 2u || x >= WIDTH / 2u) {
    clear(plane, 2u * y, 2u * x);
    clear(plane, 2u * y, 2u * x + 1u);
    clear(plane, 2u * y + 1u, 2u * x);
    clear(plane, 2u * y + 1u, 2u * x + 1u);
    return;
  }
  let top = (plane * HEIGHT + 2u * y) * WIDTH + 2u * x;
  let bottom = top + WIDTH;
  var largest = input[top];
  var chosen = 0u;
  if (input[top + 1u] > largest) {
    largest = input[top + 1u];
    chosen = 1u;
  }
  if (input[bottom] > largest) {
    largest = input[bottom];
    chosen = 2u;
  }
  if (input[bottom + 1u] > largest) {
    chosen = 3u;
  }
  let value = gradient[(plane * (HEIGHT / 2u) + y) * (WIDTH / 2u) + x];
  result[top] = select(0.0, value, chosen == 0u);
  result[top + 1u] = select(0.0, value, chosen == 1u);
  result[bottom] = select(0.0, value, chosen == 2u);
  result[bottom + 1u] = select(0.0, value, chosen == 3u);
}
