// Bundles a script that uses the package, for each runtime.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
export const ROOT = join(PACKAGE, '..');

/** The program of a runtime. For Deno, npm may link a script that installs it when first run, and leaves it running when killed. */
export function programOf(runtime) {
  const [linked, own] = [`.bin/${runtime}`, `${runtime}/${runtime}`].map((path) => join(PACKAGE, 'node_modules', path));
  if (runtime === 'deno' && !existsSync(own)) {
    execFileSync(linked, ['--version'], { stdio: 'ignore' });
  }
  return existsSync(own) ? own : linked;
}

/** The script in one text; `modules` are the WebAssembly files that it imports. */
export async function bundle(contents, conditions, options = {}) {
  const modules = new Map();
  const wasm = {
    name: 'wasm',
    setup(build) {
      // Like wrangler: whatever an import calls `.wasm` is taken for a module.
      build.onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path, resolveDir, kind }) => {
        if (kind !== 'import-statement') {
          return null;
        }
        const file = join(resolveDir, path.replace('?module', ''));
        modules.set(basename(file), readFileSync(file));
        return { path: `./${basename(file)}`, external: true };
      });
    },
  };
  const made = await build({
    stdin: { contents, resolveDir: join(PACKAGE, 'test/runtimes'), loader: 'js' },
    bundle: true, write: false, format: 'esm', target: 'es2022', platform: 'neutral', mainFields: ['module', 'main'],
    conditions, plugins: [wasm], loader: { '.jsonl': 'text' }, logLevel: 'error', external: ['node:*'], ...options,
  });
  return { script: made.outputFiles[0].text, modules };
}

/** A script whose `failures()` gives the vectors that do not hold, how many there are, and what mixes up bodies. */
export function vectors(entry = 'velora-wasm') {
  const folder = join(ROOT, 'conformance/vectors');
  const files = (path, kind) => readdirSync(path).filter((name) => name.endsWith('.jsonl')).map((name) => [join(path, name), kind]);
  const all = [...files(folder, 'verify'), ...files(join(folder, 'events'), 'event'), ...files(join(folder, 'keys'), 'key')];
  return `
    import * as velora from '${entry}';
    import { answers } from '../../../conformance/js/cases.mjs';
    ${all.map(([file], at) => `import v${at} from ${JSON.stringify(file)};`).join('\n')}
    const all = [${all.map(([, kind], at) => `['${kind}', v${at}]`).join(', ')}];
    export async function failures() {
      const answer = answers(velora);
      const failed = [];
      let count = 0;
      for (const [kind, text] of all) {
        for (const line of text.split('\\n').filter((line) => line !== '')) {
          const { id, expect } = JSON.parse(line);
          const wanted = JSON.stringify(Object.entries({ id, ...expect }).sort());
          count += 1;
          if (JSON.stringify(Object.entries(JSON.parse(answer[kind](line))).sort()) !== wanted) {
            failed.push(id);
          }
        }
      }
      // All under way at once: each is hashed by the host, from the room that all share.
      const verifier = new velora.Verifier('health', 'whsec_concurrent');
      const asked = Array.from({ length: 32 }, (_, at) => {
        const { body, headers } = new velora.Signer('health', 'whsec_concurrent').sign(String(at).padEnd(50_000 + at));
        body[at] ^= at % 2;
        return verifier.verifyAsync(body, headers).then(() => 0, (error) => (error.code === 'signature_mismatch' ? 1 : 2));
      });
      for (const [at, forged] of (await Promise.all(asked)).entries()) {
        if (forged !== at % 2) {
          failed.push('concurrent/' + at);
        }
      }
      return { count, failed };
    }
  `;
}
