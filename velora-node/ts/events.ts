/** Events: what a verified delivery carries, typed by its scheme. */

import { inspect } from './host.js';
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

/** What a scheme's events are called by. */
export interface Names {
  readonly scheme: string;
  /** The members that hold an event's type and its id, where it always has them. */
  readonly typeName: string | undefined;
  readonly idName: string | undefined;
}

/** What the core says of an event without reading all of it. */
export interface Envelope {
  readonly eventType: string | null;
  readonly typeIsSigned: boolean;
  readonly id: string;
  /** Empty where it cannot be read. */
  readonly key: string;
}

/** What an event's members are read from. */
export interface Source {
  /** The members as the core gives them, in JSON. */
  json(): string;
  /** The body that was verified. */
  text(): string;
}

type Members = Record<PropertyKey, unknown>;

const SHOWN = Symbol('shown');

/**
 * An event whose members are parsed when one of them is asked for that its envelope does
 * not have. In all else it is an object of these members that cannot be written to; what
 * they hold can be. Those who only log it are not shown its members.
 *
 * It is what its proxy is in front of, and all proxies have one handler: to find a trap in
 * a handler of its own costs as much as the trap.
 */
class Event {
  readonly #names: Names;
  readonly #read: Envelope & Source;
  #members: Members | undefined;

  constructor(names: Names, read: Envelope & Source) {
    this.#names = names;
    this.#read = read;
  }

  static readonly handler: ProxyHandler<Event> = {
    get(event, name) {
      switch (name) {
        case event.#names.typeName:
          return event.#read.eventType;
        case event.#names.idName:
          return event.#read.id;
        case SHOWN:
          return event[SHOWN];
      }
      const members = event.#all();
      if (Object.hasOwn(members, name)) {
        return members[name];
      }
      return name === 'toJSON' ? () => JSON.parse(event.#read.text()) : Reflect.get(Event.prototype, name);
    },
    has: (event, name) => Object.hasOwn(event.#all(), name) || Reflect.has(event, name),
    ownKeys: (event) => Reflect.ownKeys(event.#all()),
    getOwnPropertyDescriptor: (event, name) => Object.getOwnPropertyDescriptor(event.#all(), name),
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
    preventExtensions: () => false,
    setPrototypeOf: () => false,
  };

  #all(): Members {
    this.#members ??= this.#parsed();
    return this.#members;
  }

  #parsed(): Members {
    const members = JSON.parse(this.#read.json()) as Members;
    if (this.#names.scheme === 'billing') {
      return { type: this.#read.eventType, typeIsSigned: this.#read.typeIsSigned, members };
    }
    return members;
  }

  get [SHOWN](): string {
    return `Event(${this.#read.eventType}, ${this.#read.key || 'no key'})`;
  }

  /** Some hosts ask the proxy, and some what it is in front of. */
  [inspect.custom](): string {
    return this[SHOWN];
  }
}

const { handler } = Event;

/** The event of what was read. */
export function lazyEvent(names: Names, read: Envelope & Source): unknown {
  return new Proxy(new Event(names, read), handler);
}
