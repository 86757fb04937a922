/** vite/wgsl.ts makes it: every variant of the kernel in the file, linked. */
declare module '*.wgsl' {
  const source: import('../gpu/kernel').KernelSource;
  export default source;
}
