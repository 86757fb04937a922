/** The package's main file does not load in Node; the module file beside it does, but has no types. */
declare module 'wgsl_reflect/wgsl_reflect.module.js' {
  export * from 'wgsl_reflect';
}
