// workerd without a proxy in front: as in the cloud, a worker is told when its sender hangs up.

import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import workerd from 'workerd';
import { finallyDo, temporary } from '../../../velora-node/test/support.mjs';
import { bundle } from './bundle.mjs';

/** Serves a worker until the test ends; gives its port. `durable` is the class of its objects, bound as `CLAIMS`. */
export async function serveWorker(context, contents, { durable, bindings = {} } = {}) {
  const folder = temporary(context);
  const { script, modules } = await bundle(contents, ['workerd', 'worker', 'browser'], { external: ['cloudflare:workers'] });
  await writeFile(join(folder, 'worker.mjs'), script);
  for (const [path, bytes] of modules) {
    await writeFile(join(folder, path), bytes);
  }
  const bound = Object.entries(bindings).map(([name, text]) => `(name = "${name}", text = "${text}")`);
  await writeFile(join(folder, 'config.capnp'), `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [(name = "main", worker = .main), (name = "internet", network = (allow = ["local"]))],
      sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
    const main :Workerd.Worker = (
      compatibilityDate = "2026-01-01",
      modules = [(name = "worker.mjs", esModule = embed "worker.mjs")${[...modules.keys()].map((path) => `, (name = "${path}", wasm = embed "${path}")`).join('')}],
      bindings = [${[...bound, ...(durable ? ['(name = "CLAIMS", durableObjectNamespace = "' + durable + '")'] : [])].join(', ')}],
      durableObjectNamespaces = [${durable ? `(className = "${durable}", uniqueKey = "claims", enableSql = true)` : ''}],
      durableObjectStorage = (inMemory = void));`);
  const program = spawn(workerd.default, ['serve', '--experimental', '--control-fd=3', join(folder, 'config.capnp')], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  finallyDo(context, () => program.kill());
  for await (const line of createInterface({ input: program.stdio[3] })) {
    const { event, port } = JSON.parse(line);
    if (event === 'listen') {
      return port;
    }
  }
  throw new Error('workerd has ended');
}
