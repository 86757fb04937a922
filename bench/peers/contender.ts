/** A contender with the model loaded. */
export interface Ready {
  /** Of its WASM. */
  readonly threads?: number;
  /** One forward pass, from the normalised image [3, height, width] in memory to the logits in memory. */
  run(input: Float32Array<ArrayBuffer>): Promise<Float32Array>;
}
