declare module '#velora/*' {
  const compiled: () => WebAssembly.Module;
  export default compiled;
}
