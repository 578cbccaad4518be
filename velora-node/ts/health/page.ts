/** Several events at once. */

import { inspect } from '../host.js';
import type { EventsText } from '../../native/index.js';
import type * as paging from '../paging.js';
import { AuditEvent, type AuditEventMembers, type Source } from './audit-event.js';

/** Between two events in the text that the addon gives; it stands nowhere else in it. */
const BETWEEN = '\n,';

/** Events in the system's order, each read once. */
export class Page implements paging.Page<AuditEvent> {
  /** How many events there are. */
  readonly length: number;
  /** Where the next page starts: see `Page` of the package. Null in an export. */
  readonly nextCursor: string | null;
  readonly #source: Texts;

  private constructor(events: EventsText, nextCursor?: string | null) {
    this.length = events.count;
    this.nextCursor = nextCursor ?? null;
    this.#source = new Texts(events);
  }

  /** @internal */
  static made(events: EventsText, nextCursor?: string | null): Page {
    return new Page(events, nextCursor);
  }

  /** The events. */
  get events(): readonly AuditEvent[] {
    return this.#source.events;
  }

  /** The events in the system's own text, each on one line. Nothing is parsed for it. */
  get lines(): readonly string[] {
    return this.#source.texts;
  }

  [Symbol.iterator](): IterableIterator<AuditEvent> {
    return this.events[Symbol.iterator]();
  }

  [inspect.custom](): string {
    return `Page(${this.length} events)`;
  }
}

class Texts implements Source {
  readonly #given: EventsText;
  #texts: readonly string[] | undefined;
  #events: readonly AuditEvent[] | undefined;

  constructor(given: EventsText) {
    this.#given = given;
  }

  get texts(): readonly string[] {
    if (this.#texts === undefined) {
      const text = this.#given.own?.toString() ?? this.#given.text;
      this.#texts = text === '[]' ? [] : text.slice(1, -1).split(BETWEEN);
    }
    return this.#texts;
  }

  get events(): readonly AuditEvent[] {
    if (this.#events === undefined) {
      const rows = JSON.parse(this.#given.text) as AuditEventMembers[];
      this.#events = rows.map((row, at) => AuditEvent.made(row, this, at));
    }
    return this.#events;
  }
}
