const BACKENDS = { webgpu: 'WebGPU', wasm: 'WASM' } as const;

/** A library with its version and how it ran, as tables and messages call it. */
export function contenderName(contender: {
  readonly name: string;
  readonly version: string;
  readonly backend: keyof typeof BACKENDS;
  readonly threads?: number | undefined;
}): string {
  const { name, version, backend, threads } = contender;
  const unit = threads === 1 ? 'thread' : 'threads';
  return `${name} ${version}, ${BACKENDS[backend]}${threads ? `, ${threads} ${unit}` : ''}`;
}
