declare module '#velora/*.wasm' {
  const compiled: () => WebAssembly.Module;
  export default compiled;
}

declare module '*/wasm/verify.js' {
  const beside: () => import('./begin.js').Beside;
  export default beside;
}

declare module '*/wasm/default.js' {
  const beside: () => import('./begin.js').Beside;
  export default beside;
}

declare module '*/wasm/client.js' {
  const beside: () => import('./begin.js').Beside;
  export default beside;
}
