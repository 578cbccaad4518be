// Runs the tests of the Node package with this package: `velora` resolves to `velora-wasm/client`.

import { register } from 'node:module';

const hooks = `
  const here = ${JSON.stringify(import.meta.url)};
  export function resolve(name, context, next) {
    if (name === 'velora') {
      return next('./velora.mjs', { ...context, parentURL: here });
    }
    return next(name, name === 'fast-check' ? { ...context, parentURL: here } : context);
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
