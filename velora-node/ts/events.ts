/** Events: what a verified delivery carries, typed by its scheme. */

import { inspect } from 'node:util';
import type { Event as BillingEvent } from './billing/event.js';
import type { Event as CuraeEvent } from './curae/event.js';
import type { Event as HealthEvent } from './health/event.js';
import type { Scheme, SchemeName } from './scheme.js';
import type { BodyOnlyEvent, Event as TvEvent } from './tv/event.js';

/** The event that each of the systems' schemes delivers. */
export interface Events {
  health: HealthEvent;
  billing: BillingEvent;
  curae: CuraeEvent;
  tv: TvEvent;
  'tv-body-only': BodyOnlyEvent;
}

/** The event that a scheme delivers; of a scheme of your own, the members of its body. */
export type EventOf<S extends SchemeName | Scheme> = S extends SchemeName ? Events[S] : Readonly<Record<string, unknown>>;

/** What the core says of an event without reading all of it. */
export interface Envelope {
  readonly key: string;
  readonly eventType: string | null;
  readonly typeIsSigned: boolean;
  readonly id: string;
}

/** Where an event that has not been read yet comes from. */
export interface EventSource {
  readonly envelope: Envelope;
  /** The members that hold its type and its id. */
  readonly names: readonly string[];
  /** All members, as the core reads them. */
  members(): object;
  /** The members of the body. */
  body(): unknown;
}

type Members = Record<PropertyKey, unknown>;

const SHOWN = Symbol('shown');

/** What an event looks like to those who only log it: its members are not shown. */
class Event {
  [inspect.custom](): unknown {
    return (this as unknown as Members)[SHOWN];
  }
}

/**
 * An event whose members are parsed when one of them is asked for that its envelope does
 * not have. In all else it is an object of these members that cannot be written to.
 */
class Lazy implements ProxyHandler<Event> {
  readonly #source: EventSource;
  #members: Members | undefined;

  constructor(source: EventSource) {
    this.#source = source;
  }

  get(_: Event, name: PropertyKey): unknown {
    if (this.#members === undefined) {
      const { envelope, names } = this.#source;
      if (name === names[0]) {
        return envelope.eventType;
      }
      if (name === names[1]) {
        return envelope.id;
      }
      if (name === SHOWN) {
        return this.#shown();
      }
    }
    const members = this.#all();
    if (Object.hasOwn(members, name)) {
      return members[name];
    }
    switch (name) {
      case 'toJSON':
        return () => this.#source.body();
      case SHOWN:
        return this.#shown();
      default:
        return Reflect.get(Event.prototype, name);
    }
  }

  has(event: Event, name: PropertyKey): boolean {
    return Object.hasOwn(this.#all(), name) || Reflect.has(event, name);
  }

  ownKeys(): (string | symbol)[] {
    return Reflect.ownKeys(this.#all());
  }

  getOwnPropertyDescriptor(_: Event, name: PropertyKey): PropertyDescriptor | undefined {
    return Object.getOwnPropertyDescriptor(this.#all(), name);
  }

  set(): boolean {
    return false;
  }

  defineProperty(): boolean {
    return false;
  }

  deleteProperty(): boolean {
    return false;
  }

  preventExtensions(): boolean {
    return false;
  }

  #all(): Members {
    this.#members ??= this.#source.members() as Members;
    return this.#members;
  }

  #shown(): string {
    const { eventType, key } = this.#source.envelope;
    return `Event(${eventType}, ${key})`;
  }
}

/** An event that the core has found to be of its documented form. */
export function lazyEvent(source: EventSource): unknown {
  return new Proxy(new Event(), new Lazy(source));
}
