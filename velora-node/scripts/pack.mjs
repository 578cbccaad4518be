// Packs what is published: the package, which names the addons of all platforms, and the package
// of this platform, with its addon.
//
//     node scripts/pack.mjs [--addon FILE] [--to FOLDER]
//
// Without `--addon` it is built as it is to be shipped, and what is in `native/` stays.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({
  options: { addon: { type: 'string' }, to: { type: 'string', default: join(root, '../target/npm') } },
});
const to = resolve(options.to);
const stage = join(to, 'stage');
const run = (file, args, env = {}) =>
  execFileSync(file, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] });
const read = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

rmSync(stage, { recursive: true, force: true });
const addon = options.addon === undefined ? built() : resolve(options.addon);
const [, platform] = basename(addon).split('.');

const main = read('.');
const platforms = readdirSync(join(root, 'npm')).map((name) => read(join('npm', name)));
const folders = [
  staged('.', {
    ...main, scripts: undefined, devDependencies: undefined,
    optionalDependencies: Object.fromEntries(platforms.map(({ name, version }) => [name, version])),
  }),
  staged(join('npm', platform), read(join('npm', platform)), addon),
];
run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', to, ...folders]);
rmSync(stage, { recursive: true });

/** The addon without what is for tests alone, and the TypeScript layer upon it. */
function built() {
  const output = join(stage, 'addon');
  run(join(root, 'node_modules/.bin/napi'), [
    'build', '--platform', '--release', '--strip', '--no-js', '--output-dir', output, '--', '--locked',
  ]);
  const file = join(output, readdirSync(output).find((name) => name.endsWith('.node')));
  run(process.execPath, ['scripts/build.mjs', '--no-addon'], { NAPI_RS_NATIVE_LIBRARY_PATH: file });
  return file;
}

/** A folder with the files of a package, under this manifest. */
function staged(folder, manifest, file) {
  const made = join(stage, manifest.name);
  mkdirSync(made, { recursive: true });
  writeFileSync(join(made, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const part of [...manifest.files, 'README.md']) {
    cpSync(part === manifest.main ? file : join(root, folder, part), join(made, part), { recursive: true });
  }
  return made;
}
