/** What the verifier alone has not: events of deliveries, and schemes of the caller's own. */

import { bodyBytes } from './body.js';
import { guard } from './errors.js';
import { lazyEvent, type Names } from './events.js';
import type { Values } from './headers.js';
import { copyOf, utf8Text } from './host.js';
import { enter } from './native/calls.js';
import { said, saidText, type Item } from './native/frame.js';
import { instance } from './native/instance.js';
import type { SchemeParts } from './native/types.js';
import { ask, envelopeOf, learnSchemes, type Envelope } from './native/verifier.js';
import { learnReading, type Reader, type Reading } from './verifier.js';

/** From here on there are both. */
export function whole(): void {
  learnReading((...given) => new Read(...given));
  learnSchemes(itemsOfOwn);
}

/** What is read of a delivery. */
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
    return this.#read().key;
  }

  get eventType(): string | null {
    return this.#read().eventType;
  }

  get event(): unknown {
    if (this.#event === undefined) {
      const envelope = this.#readAgain(true);
      const text = typeof this.#copy === 'string' ? this.#copy.toWellFormed() : utf8Text(this.#copy!);
      this.#event = lazyEvent(namesOf(this.#reader), { ...envelope, json: () => envelope.members, text: () => text });
    }
    return this.#event;
  }

  checkHeaders(): void {
    guard(() => ask(this.#reader.made, 'check_headers', this.#values, bodyBytes(this.#body), 0, 0));
  }

  #read(): Envelope {
    this.#envelope ??= this.#readAgain(false);
    return this.#envelope;
  }

  #readAgain(members: boolean): Envelope {
    const body = this.#copy ?? this.#body;
    this.#reader.reads = true;
    ask(this.#reader.made, 'read_event', this.#values, body, Number(members), 0);
    this.#envelope = envelopeOf(said(instance()));
    // Nothing has written to it since it was read.
    this.#copy ??= copyOf(body as Uint8Array);
    return this.#envelope;
  }
}

/** What its events are called by, which the module is asked for once. */
function namesOf(reader: Reader): Names {
  if (reader.names === undefined) {
    const [typeName, idName] = enter((one) => {
      one.exports['event_names']!(reader.made.in(one));
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
  ];
  const items = texts.flatMap((text, at): Item[] => (text === undefined ? [] : [[16 + at, text]]));
  // An empty one says that there are some, or none.
  const members = scheme.identity ? ['', ...scheme.identity] : [];
  return [...items, ...members.map((member): Item => [32, member])];
}
