// What stands for `velora` in Node's own tests, see `instead.mjs`. The other systems' clients
// are Node's alone: their tests are not run here.

export * from 'velora-wasm/client';
export const billing = {};
export const curae = {};
export const tv = {};
