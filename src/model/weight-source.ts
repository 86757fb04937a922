/** Where a network's numbers come from: tensors by name, read in parts, always handed out as f32. */
export interface WeightSource {
  /** Shape of a tensor. @throws ScoreCamError `weights` if there is none of that name. */
  shape(name: string): readonly number[];
  /** Elements start ... start + count of the flattened tensor. */
  read(name: string, start: number, count: number): Promise<Float32Array>;
}
