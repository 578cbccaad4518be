/** What the verifier alone lacks: events of deliveries, and schemes of the caller's own. */

import { rawMemory } from './body.js';
import { guard } from './errors.js';
import { lazyEvent, type Names } from './events.js';
import type { Values } from './headers.js';
import { copyOf, utf8Text } from './host.js';
import { enter, learnFailures } from './native/calls.js';
import { failureOf } from './native/failures.js';
import { Made } from './native/held.js';
import { itemBytes, putAlone, said, saidText, type Item } from './native/frame.js';
import { instance } from './native/instance.js';
import type { SchemeParts } from './native/types.js';
import { ask, envelopeOf, learnSchemes, namedIn, type Envelope } from './native/verifier.js';
import { learnReading, type Reader, type Reading } from './verifier.js';

/** Enables both, and failures with more than a code. */
export function whole(): void {
  learnReading((...given) => new Read(...given));
  learnSchemes((scheme) => {
    if (typeof scheme === 'string') {
      return new Made((one) => namedIn(one, scheme));
    }
    const items = itemBytes(itemsOfOwn(scheme));
    return new Made((one) => one.exports['own_scheme']!(putAlone(one, items)));
  });
  learnFailures(failureOf);
}

/** Bodies up to this size are copied when they are verified, if deliveries are read. */
const COPIED = 4096;

function copied(body: Uint8Array): Uint8Array | undefined {
  return body.length <= COPIED ? copyOf(rawMemory(body) as Uint8Array) : undefined;
}

/** Which part of a delivery to read: see `receiver.rs`. */
const ENVELOPE = 0;
const MEMBERS = 1;
const HEADERS = 2;
const KEY = 3;

/** Reads a delivery's parts when they are first used. */
class Read implements Reading<unknown> {
  readonly #reader: Reader;
  readonly #body: string | Uint8Array;
  readonly #values: readonly Values[];
  #copy: string | Uint8Array | undefined;
  #envelope: Envelope | undefined;
  #event: unknown;

  constructor(reader: Reader, copy: string | Uint8Array | undefined, body: string | Uint8Array, values: readonly Values[], envelope?: Envelope) {
    this.#reader = reader;
    this.#copy = copy;
    this.#body = body;
    this.#values = values;
    this.#envelope = envelope;
  }

  get key(): string {
    return this.#envelope?.key || this.#read(KEY).key;
  }

  get eventType(): string | null {
    return (this.#envelope?.mark ? this.#envelope : this.#read(ENVELOPE)).eventType;
  }

  get event(): unknown {
    if (this.#event === undefined) {
      const envelope = this.#read(MEMBERS);
      const text = typeof this.#copy === 'string' ? this.#copy.toWellFormed() : utf8Text(this.#copy!);
      this.#event = lazyEvent(namesOf(this.#reader), { ...envelope, json: () => envelope.members, text: () => text });
    }
    return this.#event;
  }

  checkHeaders(): void {
    guard(() => ask(this.#reader.kept, 'read_event', this.#values, rawMemory(this.#body), HEADERS, 0));
  }

  #read(wanted: number): Envelope {
    const body = this.#copy ?? rawMemory(this.#body);
    this.#reader.copy = copied;
    ask(this.#reader.kept, 'read_event', this.#values, body, wanted, 0);
    this.#envelope = envelopeOf(said(instance()));
    // Nothing has written to it since it was read.
    this.#copy ??= copyOf(body as Uint8Array);
    return this.#envelope;
  }
}

/** The members that hold an event's type and id; the module is asked for them once. */
function namesOf(reader: Reader): Names {
  if (reader.names === undefined) {
    const [typeName, idName] = enter((one) => {
      one.exports['event_names']!(reader.kept.secrets.scheme.in(one));
      return saidText(one).split('\n').slice(0, -1);
    });
    reader.names = { scheme: reader.scheme, typeName, idName };
  }
  return reader.names;
}

function itemsOfOwn(scheme: SchemeParts): Item[] {
  const texts = [
    scheme.name, scheme.signatureHeader, scheme.prefix, scheme.timestampHeader,
    scheme.timestampInMilliseconds ? '' : undefined, scheme.signedBefore, scheme.signedAfter,
    scheme.rejectStatus === undefined ? undefined : String(scheme.rejectStatus),
    scheme.clientErrorsAreFinal ? '' : undefined,
    scheme.identity && '',
  ];
  const items = texts.flatMap((text, at): Item[] => (text === undefined ? [] : [[at, text]]));
  return [...items, ...(scheme.identity ?? []).map((member): Item => [10, member])];
}
