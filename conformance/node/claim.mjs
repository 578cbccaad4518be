// Works with a deduplication store, one operation per line.

import { once } from 'node:events';
import { StoreError, VeloraError, openStore } from '../../velora-node/dist/index.mjs';
import { matching, optionsOf } from '../js/arguments.mjs';
import { chunksOfLines } from '../js/lines.mjs';

const VERBS = ['claim', 'commit', 'release', 'renew'];

/** Returns the exit code. If there is no store, the last line on standard error says why. */
export async function claim(args, input, output) {
  const given = optionsOf(args, ['store'], ['lease']);
  const lease = given.lease === undefined ? {} : { lease: Number(matching('lease', given.lease, /^\d+(\.\d+)?$/)) };
  let store;
  try {
    store = openStore(given.store, { timeout: 30, ...lease });
  } catch (error) {
    if (!(error instanceof VeloraError)) {
      throw error;
    }
    console.error(JSON.stringify({ code: error.code, status: null, message: error.message }));
    return 1;
  }
  const held = new Map();
  for await (const lines of chunksOfLines(input)) {
    for (const line of lines) {
      if (!output.write(`${JSON.stringify(await answer(store, line, held))}\n`)) {
        await once(output, 'drain');
      }
    }
  }
  return 0;
}

/** The answer to a line, whatever it is. The leases are held until the end. */
async function answer(store, line, held) {
  const asked = readCase(line);
  if (asked === null) {
    return { state: 'error', code: 'invalid_case' };
  }
  const { op, key } = asked;
  try {
    if (op === 'claim') {
      const claimed = await store.claim(key);
      if (claimed.state === 'fresh') {
        held.set(key, claimed.lease);
      }
      return told(claimed.state, held.get(key));
    }
    const lease = held.get(key);
    if (lease === undefined) {
      return told('lease_lost');
    }
    await lease[op]();
    return told('ok', lease);
  } catch (error) {
    if (!(error instanceof StoreError)) {
      throw error;
    }
    return error.code === 'lease_lost' ? told('lease_lost', held.get(key)) : { state: 'error', code: error.code };
  }
}

function told(state, lease) {
  return { state, ...(lease === undefined ? {} : { epoch: lease.epoch }) };
}

function readCase(line) {
  try {
    const { op, key } = JSON.parse(line);
    return VERBS.includes(op) && typeof key === 'string' && key.isWellFormed() ? { op, key } : null;
  } catch {
    return null;
  }
}
