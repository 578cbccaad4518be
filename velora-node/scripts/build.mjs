// Builds the package in place: the addon into `native/`, the TypeScript layer into `dist/`.
//
//     node scripts/build.mjs [--release] [--features NAME] [--no-addon]

import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({
  options: {
    release: { type: 'boolean', default: false },
    features: { type: 'string' },
    'no-addon': { type: 'boolean', default: false },
  },
});

const run = (name, ...args) =>
  execFileSync(join(root, 'node_modules/.bin', name), args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });

if (!options['no-addon']) {
  run(
    'napi', 'build', '--platform', '--output-dir', 'native', '--js', 'index.js', '--dts', 'index.d.ts',
    ...(options.release ? ['--release'] : []), ...(options.features ? ['--features', options.features] : []),
    '--', '--locked',
  );
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
run('tsc', '--project', 'tsconfig.json');

// One copy of every class, whichever way it is loaded: ESM re-exports what CommonJS has.
const require = createRequire(import.meta.url);
const entries = ['index', 'express', 'fastify', 'hono', 'next'];
for (const entry of entries) {
  const file = `${entry}.js`;
  const names = Object.keys(require(join(root, 'dist', file)));
  const script = `import entry from './${file}';\nexport const { ${names.join(', ')} } = entry;\n`;
  writeFileSync(join(root, 'dist', `${entry}.mjs`), script);
  writeFileSync(join(root, 'dist', `${entry}.d.mts`), `export * from './${file}';\n`);
}

// What is published has the licences in it, and npm packs no links.
for (const folder of ['.', ...readdirSync(join(root, 'npm')).map((name) => join('npm', name))]) {
  for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) {
    copyFileSync(join(dirname(root), licence), join(root, folder, licence));
  }
}

// The examples find the package, and what it is developed with, as if they were installed.
const link = (target, path) => {
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path, 'junction');
};
link(root, join(root, 'node_modules/velora'));
link(join(root, 'node_modules'), join(dirname(root), 'examples/node/node_modules'));
