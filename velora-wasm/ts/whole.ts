/** Events of deliveries, which the verifier alone has not. */

import type { Envelope } from './native/index.js';
import { Lazy, type Names } from './events.js';
import { learnEvents } from './verifier.js';

/** An event whose texts are at hand. */
class Whole extends Lazy {
  readonly #json: string;
  readonly #text: string;

  constructor(names: Names, envelope: Envelope, text: string) {
    super(names, envelope);
    this.#json = envelope.members;
    this.#text = text;
  }

  protected override json(): string {
    return this.#json;
  }

  protected override text(): string {
    return this.#text;
  }
}

/** From here on deliveries have events. */
export function withEvents(): void {
  learnEvents((names, envelope, text) => new Whole(names, envelope, text).event());
}
