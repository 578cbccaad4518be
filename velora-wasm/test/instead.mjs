// Node's own tests, held to this package: `velora` is `velora-wasm/client` for them.

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
