import { checkedGrid, gridOf } from './grid';
import { ceilDiv, type Dispatch, defineKernel, type Slice } from './kernel';
import code from './repeat_tensor.wgsl?raw';

export const repeatTensorKernel = defineKernel({
  name: 'repeat_tensor',
  code,
  params: [{ name: 'size', type: 'u32' }],
  storage: [
    { name: 'tensor', access: 'read' },
    { name: 'output', access: 'read_write' },
  ],
});

export interface RepeatTensorArgs {
  readonly label: string;
  readonly size: number;
  readonly batch: number;
  /** [size] */
  readonly tensor: Slice;
  /** [batch, size] */
  readonly output: Slice;
}

/** A batch of copies of one tensor. */
export function repeatTensor({ label, size, batch, tensor, output }: RepeatTensorArgs): Dispatch {
  const [x, y] = gridOf(label, ceilDiv(size, 4), 64);
  return {
    kernel: repeatTensorKernel,
    label,
    constants: {},
    params: { size },
    buffers: { tensor, output },
    workgroups: checkedGrid(label, [x, y, batch]),
  };
}
