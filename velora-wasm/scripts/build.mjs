// Builds the package in place, into `dist/`: the module in its three sizes, and the
// TypeScript layer, which is Node's but for what `ts/` has in its place.
//
//     node scripts/build.mjs [--no-wasm]

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const workspace = dirname(root);
const target = join(workspace, 'target');
const wasm = join(root, 'dist/wasm');
const quiet = { stdio: ['ignore', 'inherit', 'inherit'] };
const run = (name, ...args) => execFileSync(join(root, 'node_modules/.bin', name), args, { cwd: root, ...quiet });

/**
 * The standard library is built with the module, which cuts a tenth of it: no words for a
 * panic, which ends the instance whatever it says, and no paths of this machine. Of a stable
 * compiler that is to be asked for by name.
 */
const SMALL = {
  env: {
    ...process.env,
    RUSTC_BOOTSTRAP: '1',
    RUSTFLAGS: '-C target-feature=+simd128 -Z unstable-options -C panic=immediate-abort -Z location-detail=none -Z fmt-debug=none',
  },
  args: ['-Z', 'build-std=std,panic_abort', '-Z', 'build-std-features=optimize_for_size'],
};
const cargo = (...args) =>
  execFileSync('cargo', ['rustc', '--locked', '--quiet', '--package', 'velora-wasm', '--profile', 'wasm', '--target', 'wasm32-unknown-unknown',
    '--target-dir', target, ...SMALL.args, ...args], { cwd: workspace, env: SMALL.env, ...quiet });

/** What is hardly larger than a call to it is inlined: of the smallest that may be more, as little is called twice. */
const inlined = (threshold) => ['--', '-C', `llvm-args=--inline-threshold=${threshold}`];
const SIZES = {
  verify: ['--no-default-features', ...inlined(75)],
  default: inlined(15),
  client: ['--features', 'client', ...inlined(15)],
};
/** What the TypeScript layer of Node has and this one has not. */
const NODE_ALONE = /^(express|fastify|incoming|index|host|durable|reader|transaction|verifier)\.ts$|^(billing|curae|tv)\/(?!event\.ts)|^health\/(index|file-client|manifest)\.ts$/;

if (!process.argv.includes('--no-wasm')) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  for (const [name, features] of Object.entries(SIZES)) {
    cargo(...features);
    module(name);
  }
}
layer();
enclosed();
examples();

/** The module of one size, and how each host loads it. */
function module(name) {
  mkdirSync(wasm, { recursive: true });
  run(
    'wasm-opt',
    // What the linker exports for tools, nobody asks for here. Functions in the order of how often
    // they are called are packed more tightly.
    '--remove-exports=__*', '-Oz', '--converge', '--reorder-functions', '--strip-debug', '--strip-producers', '--strip-target-features',
    '--enable-simd', '--enable-bulk-memory', '--enable-reference-types', '--enable-multivalue', '--enable-sign-ext',
    '--enable-nontrapping-float-to-int', '--enable-mutable-globals',
    // The stack lies below what is static: nothing lies where a null pointer points.
    '--low-memory-unused', join(target, 'wasm32-unknown-unknown/wasm/velora_wasm.wasm'), '-o', join(wasm, `${name}.wasm`),
  );
  const text = readFileSync(join(wasm, `${name}.wasm`)).toString('base64');
  // Not `module`, which a bundle that is run as CommonJS finds taken.
  writeFileSync(join(wasm, `${name}.inline.js`),
    `const text = '${text}';\nlet compiled;\nexport default () => (compiled ??= new WebAssembly.Module(Uint8Array.from(atob(text), (one) => one.charCodeAt(0))));\n`);
  writeFileSync(join(wasm, `${name}.module.js`), `import compiled from './${name}.wasm';\nexport default () => compiled;\n`);
  writeFileSync(join(wasm, `${name}.edge.js`), `import compiled from './${name}.wasm?module';\nexport default () => compiled;\n`);
}

function layer() {
  const build = join(root, 'build');
  rmSync(build, { recursive: true, force: true });
  const node = join(workspace, 'velora-node/ts');
  for (const file of readdirSync(node, { recursive: true }).filter((file) => file.endsWith('.ts') && !NODE_ALONE.test(file))) {
    // The addon stands beside the layer there, and in it here.
    const text = readFileSync(join(node, file), 'utf8').replaceAll(/'\.\.\/((?:\.\.\/)?)native\//g, (_, up) => `'${up || './'}native/`);
    mkdirSync(dirname(join(build, file)), { recursive: true });
    writeFileSync(join(build, file), text);
  }
  cpSync(join(root, 'ts'), build, { recursive: true });
  const types = readFileSync(join(workspace, 'velora-node/native/index.d.ts'), 'utf8');
  writeFileSync(join(build, 'native/types.d.ts'), types.replaceAll('Buffer\n', 'Uint8Array\n'));
  run('tsc', '--project', 'tsconfig.json');
  cpSync(join(build, 'native/types.d.ts'), join(root, 'dist/native/types.d.ts'));
}

/** What is published beside the package's own files: npm packs no links. */
function enclosed() {
  for (const file of ['LICENSE-APACHE', 'LICENSE-MIT']) {
    copyFileSync(join(workspace, file), join(root, file));
  }
  for (const file of ['durable-object.mjs', 'd1.mjs', 'd1.sql']) {
    cpSync(join(workspace, 'examples/edge', file), join(root, 'examples', file));
  }
}

/** The examples find the package, and what it is developed with, as if they were installed. */
function examples() {
  const link = (to, path) => {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(to, path, 'junction');
  };
  link(root, join(root, 'node_modules/velora-wasm'));
  if (existsSync(join(workspace, 'examples/edge'))) {
    link(join(root, 'node_modules'), join(workspace, 'examples/edge/node_modules'));
  }
}
