// A Cloudflare worker that receives Velora Health, and keeps its claims in Durable Objects, one
// for each key. An object handles one call after the other, so of any number of simultaneous
// deliveries exactly one is fresh.
//
//     # wrangler.toml; with an earlier date the methods of an object cannot be called
//     compatibility_date = "2024-04-03"
//     [[durable_objects.bindings]]
//     name = "CLAIMS"
//     class_name = "Claims"
//     [[migrations]]
//     tag = "v1"
//     new_sqlite_classes = ["Claims"]

import { DurableObject } from 'cloudflare:workers';
import { Receiver, Store, StoreError, Verifier } from 'velora-wasm';

const LEASE = 60_000;
const RETENTION = 72 * 3600_000;

/** The claims of one key: free, claimed under an epoch until a time, or done until a time. */
export class Claims extends DurableObject {
  async claim() {
    const { epoch = 0, claimedUntil = 0, doneUntil = 0 } = await this.#read();
    const now = Date.now();
    if (doneUntil > now) {
      return { state: 'done' };
    }
    if (claimedUntil > now) {
      return { state: 'in_flight', retryAfter: (claimedUntil - now) / 1000 };
    }
    // None is issued twice, not even of a key that was forgotten meanwhile.
    const next = Math.max(epoch + 1, now);
    await this.#write({ epoch: next, claimedUntil: now + this.#lease(), held: true }, RETENTION);
    return { state: 'fresh', epoch: next };
  }

  commit(epoch) {
    return this.#end(epoch, () => ({ epoch, doneUntil: Date.now() + RETENTION }));
  }

  release(epoch) {
    return this.#end(epoch, () => ({ epoch }));
  }

  renew(epoch) {
    return this.#end(epoch, () => ({ epoch, claimedUntil: Date.now() + this.#lease(), held: true }));
  }

  /** Forgets the key once its time is over. If it was claimed again meanwhile, it is not over. */
  async alarm() {
    const { claimedUntil = 0, doneUntil = 0 } = await this.#read();
    if (Math.max(claimedUntil, doneUntil) > Date.now()) {
      await this.ctx.storage.setAlarm(Date.now() + RETENTION);
    } else {
      await this.ctx.storage.deleteAll();
    }
  }

  /** Compare and set: a lease that has expired can still be ended until someone takes it over. */
  async #end(epoch, next) {
    const found = await this.#read();
    if (found.epoch !== epoch || found.held !== true) {
      return false;
    }
    await this.#write(next(), RETENTION);
    return true;
  }

  #lease() {
    return Number(this.env.LEASE_MILLISECONDS ?? LEASE);
  }

  async #read() {
    return (await this.ctx.storage.get('claim')) ?? {};
  }

  async #write(claim, keep) {
    // Writes with nothing awaited between them are kept together.
    await Promise.all([this.ctx.storage.put('claim', claim), this.ctx.storage.setAlarm(Date.now() + keep)]);
  }
}

/** A store whose claims are Durable Objects. */
export function durableStore(namespace) {
  const of = (key) => namespace.get(namespace.idFromName(key));
  const end = (verb) => async (key, epoch) => {
    if (!(await of(key)[verb](epoch))) {
      throw new StoreError('lease_lost', 'another delivery took the claim over');
    }
  };
  return Store.of({ claim: (key) => of(key).claim(), commit: end('commit'), release: end('release'), renew: end('renew') });
}

let receiver;

export default {
  fetch(request, env, context) {
    receiver ??= new Receiver({
      verifier: new Verifier('health', env.VELORA_WEBHOOK_SECRET),
      store: durableStore(env.CLAIMS),
      onEvent: handle,
    });
    // A worker is stopped when the sender hangs up; with the context, work in progress goes on.
    return receiver.handle(request, context);
  },
};

/** Runs once for each event. If it throws, the event comes again. */
async function handle(event) {
  console.log(event.type, event.id);
}
