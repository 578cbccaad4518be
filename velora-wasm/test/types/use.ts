// What users write, checked against the types: compiled, never run.

import {
  ApiError, health, MemoryStore, Receiver, Scheme, Signer, Store, Verifier, Work, type Delivery, type EventOf, type Page, type Reply, type tv,
} from 'velora-wasm/client';
import * as usual from 'velora-wasm';
import * as alone from 'velora-wasm/verify';
import { deliveries as forHono } from 'velora-wasm/hono';
import { deliveries as forNext } from 'velora-wasm/next';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<T extends true>(): T | void {}

const verifier = new Verifier('tv', ['secret', new Uint8Array(32)], { tolerance: 60 });
assertType<Equal<EventOf<'tv'>, tv.Event>>();
assertType<Equal<ReturnType<typeof verifier.verify>, Delivery<tv.Event>>>();
assertType<Equal<Awaited<ReturnType<typeof verifier.verifyAsync>>, Delivery<tv.Event>>>();
// @ts-expect-error a scheme that is not there
new Verifier('heath', 'secret');
// @ts-expect-error an option that is not there
new Verifier('tv', 'secret', { tolerence: 1 });

export const receiver = new Receiver({
  verifier,
  store: Store.of({
    claim: async (key) => (key === '' ? { state: 'done' } : { state: 'fresh', epoch: 1 }),
    commit: async () => {},
    release: async () => {},
    renew: async () => {},
  }),
  onEvent: (event, delivery) => `${event.type satisfies string} ${delivery.key satisfies string}`,
});
export const handled: Promise<Response> = receiver.handle(new Request('https://a.example'));
export const [hono, next] = [forHono(receiver), forNext(receiver)];

export async function works(): Promise<Reply> {
  const work = await new Receiver({ verifier, store }).begin(new Uint8Array(), new Headers());
  if (!(work instanceof Work)) {
    return work;
  }
  assertType<Equal<typeof work, Work<tv.Event>>>();
  work.epoch satisfies number;
  return work.event.id === '' ? work.release() : work.done();
}

export async function reads(client: health.Client): Promise<ReadableStream<Uint8Array>> {
  for await (const event of client.events({ phiInvolved: true, limit: 10 })) {
    assertType<Equal<typeof event.eventId, string | null>>();
  }
  for await (const page of client.events().pages()) {
    page satisfies Page<health.AuditEvent>;
    client.events({ cursor: page.nextCursor ?? undefined });
  }
  const named = health.Client.fromEnv({ attempts: 3 });
  assertType<Equal<typeof named, health.Client>>();
  // @ts-expect-error there are no files
  client.exportToFile;
  return client.export({ since: new Date(0), until: '2026-05-08T00:00:00Z' }).toReadableStream();
}

export function status(error: unknown): number | null {
  return error instanceof ApiError ? error.status : null;
}

export const signed: Uint8Array = new Signer(new Scheme({ name: 'own', signatureHeader: 'X-Own' }), 'secret').sign('{}').body;
export const store: usual.Store = new MemoryStore({ capacity: 10 });
export const stamp: Date | null = new alone.Verifier('health', 'secret').verify('{}', new Headers()).signedTimestamp;
