declare module '#velora/*.wasm' {
  const compiled: () => WebAssembly.Module;
  export default compiled;
}
