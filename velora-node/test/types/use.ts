// What users write, checked against the types: compiled, never run.

import { Verifier, Scheme, Receiver, Items, Lease, MemoryStore, Signer, SigningSecret, ApiError, Store, Work, health, tv, curae, billing } from 'velora';
import type { Backfilled, Code, CustomStore, Delivery, DurableStore, EventOf, Outcome, Page, PgClient, Reply } from 'velora';
import { deliveries as forExpress } from 'velora/express';
import { deliveries as forFastify } from 'velora/fastify';
import { deliveries as forHono } from 'velora/hono';
import { deliveries as forNext } from 'velora/next';
import type { IncomingHttpHeaders } from 'node:http';
import type { RequestHandler } from 'express';
import type { Handler } from 'hono';
import fastify from 'fastify';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<T extends true>(): T | void {}

export function narrows(event: tv.Event): string {
  switch (event.type) {
    case 'stream.online':
      return event.data?.streamId ?? '';
    case 'stream.offline':
      assertType<Equal<typeof event, tv.EventOfType<'stream.offline'>>>();
      return event.id;
    default:
      return event.type;
  }
}

export function keepsUnknownTypes(event: health.Event): unknown {
  if (event.type === 'phi.read') {
    assertType<Equal<typeof event, health.EventOfType<'phi.read'>>>();
    return event.actor?.user_id;
  }
  // @ts-expect-error a type that no event has
  if (event.type === 'phi.raed') {
    return null;
  }
  if (String(event.type) === 'admin.login') {
    return event.id satisfies string;
  }
  return event.type satisfies string;
}

export function narrowsCurae(event: curae.Event): string {
  return event.eventType === 'records.export_ready' ? event.eventId : event.eventType;
}

const own = new Scheme({ name: 'slack', signatureHeader: 'X-Slack-Signature', prefix: 'v0=' });
assertType<Equal<EventOf<'billing'>, billing.Event>>();
assertType<Equal<ReturnType<Verifier<'tv'>['verify']>, Delivery<tv.Event>>>();
assertType<Equal<EventOf<typeof own>, Readonly<Record<string, unknown>>>>();

export function headers(body: Buffer, incoming: IncomingHttpHeaders, raw: string[], web: Headers): void {
  const verifier = new Verifier('health', ['a', Buffer.from('b'), new SigningSecret(new SigningSecret('c'))], { tolerance: 300 });
  verifier.verify(body, incoming, { now: 1 });
  verifier.verify(body.toString(), raw, { now: new Date() });
  verifier.verify(body.buffer as ArrayBuffer, web);
  verifier.verify(body, [['a', 'b']]);
  verifier.verify(body, new Map([['a', 'b']]));
  // @ts-expect-error a parsed body
  verifier.verify({ id: 'evt_1' }, incoming);
  // @ts-expect-error a misspelt option
  new Verifier('health', 'a', { tolerence: 1 });
  // @ts-expect-error no such scheme
  new Verifier('paypal', 'a');
  const signed = new Signer('tv', 'a').sign('{}');
  assertType<Equal<typeof signed.headers, Record<string, string>>>();
  assertType<Equal<Receiver<'tv'>['verifier'], Verifier<'tv'>>>();
}

export async function adapters(): Promise<void> {
  const receiver = new Receiver({
    verifier: new Verifier('curae', 'a'),
    store: new MemoryStore({ capacity: 10 }),
    onEvent: async (event, delivery) => {
      assertType<Equal<typeof event, curae.Event>>();
      console.log(event.eventId, delivery.key);
    },
  });
  forExpress(receiver) satisfies RequestHandler;
  forHono(receiver) satisfies Handler;
  await fastify().register(forFastify, { url: '/hook', receiver });
  (await forNext(receiver)(new Request('http://a'))) satisfies Response;
}

export async function clients(signal: AbortSignal): Promise<void> {
  const client = new health.Client({ apiKey: 'a', baseUrl: 'http://127.0.0.1', attempts: 3 });
  for await (const event of client.events({ since: new Date(), phiInvolved: true, limit: 10 }, { signal })) {
    assertType<Equal<typeof event, health.AuditEvent>>();
  }
  for await (const page of client.events().pages()) {
    assertType<Equal<typeof page.lines, readonly string[]>>();
    page satisfies Page<health.AuditEvent>;
    client.events({ cursor: page.nextCursor ?? undefined });
  }
  client.export({ since: '', until: '' }).toReadableStream() satisfies ReadableStream<Uint8Array>;
  const { rows } = await client.exportToFile({ since: '', until: '' }, 'file', { onProgress: ({ leaves }) => leaves });
  assertType<Equal<typeof rows, number>>();
  const manifest: health.Manifest = await health.Manifest.read('file');
  assertType<Equal<Awaited<ReturnType<typeof manifest.verify>>, void>>();
  manifest.leaves satisfies readonly health.LeafProof[];
  const named = health.Client.fromEnv({ attempts: 3 });
  assertType<Equal<typeof named, health.Client>>();
  const once = await client.exportOnce({ since: '', until: '' });
  assertType<Equal<typeof once.events, health.Page>>();
  // @ts-expect-error one call has none beside it
  await client.exportOnce({ since: '', until: '', concurrency: 2 });
  for await (const page of new billing.Client({ apiKey: 'a' }).deliveries('e').pages()) {
    page satisfies Page<billing.LoggedDelivery> & readonly billing.LoggedDelivery[];
  }
  const told = ({ refired }: billing.Progress) => console.log(refired);
  await new billing.Client({ apiKey: 'a' }).refireFailed('e', { onProgress: told });
  const events: tv.EventStream = new tv.Client({ token: 'a' }).events();
  await events.return();
  for await (const item of new tv.Client({ token: async () => 'a' }).events()) {
    if (item.kind === 'gap') {
      assertType<Equal<typeof item.reason, ApiError>>();
    } else if (item.kind === 'event' && item.event?.type === 'stream.online') {
      item.event.data?.streamId satisfies string | undefined;
    }
  }
  const { secret } = await new curae.Client({ apiKey: 'a' }).webhooks.create({ url: 'a', eventTypes: ['import.completed', 'new'] });
  new Verifier('curae', secret);
}

export async function backfills(receiver: Receiver): Promise<Outcome> {
  const made: Backfilled = await receiver.backfill('key', () => {});
  assertType<Equal<Outcome, 'processed' | 'duplicate' | 'in_flight' | Code>>();
  return made.outcome;
}

export async function leases(store: Store): Promise<void> {
  const claim = await store.claim('key');
  if (claim.state === 'fresh') {
    await using lease = claim.lease;
    await lease.commit();
  } else if (claim.state === 'in_flight') {
    claim.retryAfter satisfies number;
  }
}

export async function works(store: DurableStore, client: PgClient): Promise<Reply> {
  const work = await new Receiver({ verifier: new Verifier('curae', 'a'), store }).begin('', {});
  if (!(work instanceof Work)) {
    assertType<Equal<typeof work, Reply>>();
    return work;
  }
  assertType<Equal<typeof work, Work<curae.Event>>>();
  await store.commitIn(client, work.key, work.epoch);
  work.event.eventId satisfies string;
  // @ts-expect-error a Work is no Reply
  work.status;
  return work.committed();
}

export function ownStore(own: CustomStore): Store {
  // @ts-expect-error the verbs of a store return nothing
  Store.of({ ...own, commit: async () => false });
  return Store.of(own);
}

/** What the package gives out, nobody else makes. */
export function unmade(): unknown[] {
  return [
    // @ts-expect-error
    new Items(),
    // @ts-expect-error
    new Lease(),
    // @ts-expect-error
    new Work(),
    // @ts-expect-error
    new health.AuditEvent(),
    // @ts-expect-error
    new health.Page(),
    // @ts-expect-error
    new health.Export(),
    // @ts-expect-error
    new health.Manifest(),
    // @ts-expect-error
    new tv.CreatedWebhook(),
  ];
}
