/** How a system signs its deliveries. */

import type { SchemeParts } from '../native/index.js';
import { checkOptions, flagOption, invalidOption, numberOption, text, textOption, textsOption } from './options.js';
import { PARTS, type SchemeName } from './named.js';

export type { SchemeName };

/** The description of a scheme of your own. */
export interface SchemeOptions {
  /** Its name, which appears in keys and logs. It must not be that of a built-in system. */
  name: string;
  /** The header that carries the signature. Case-insensitive. */
  signatureHeader: string;
  /**
   * The text before the hex digits, such as `sha256=`, possibly empty. Without it the header
   * is a list, `t=<seconds>,v1=<hex>[,v1=<hex>…]`.
   */
  prefix?: string | undefined;
  /** The header that carries the timestamp, if the signature header does not. */
  timestampHeader?: string | undefined;
  /** Its unit. Seconds by default. */
  timestampUnit?: 'seconds' | 'milliseconds' | undefined;
  /** The text before and after the timestamp under the MAC. Without it, only the body is signed. */
  signedPayload?: { before: string; after: string } | undefined;
  /** The members of the body that identify an event. Without them, the body's digest does. */
  identity?: readonly string[] | undefined;
  /** The HTTP status for refused deliveries, 400 to 599. 401 by default. For `malformed_event` it is always 500. */
  rejectStatus?: number | undefined;
  /** The sender does not send again after a 4xx, so a body over the limit is answered with 500 instead of 413. */
  clientErrorsAreFinal?: boolean | undefined;
}

/**
 * How a system signs, for systems of your own. A scheme that contradicts itself is
 * `invalid_scheme` when a `Verifier` or a `Signer` is made from it.
 *
 * ```js
 * const slack = new Scheme({
 *   name: 'slack',
 *   signatureHeader: 'X-Slack-Signature',
 *   prefix: 'v0=',
 *   timestampHeader: 'X-Slack-Request-Timestamp',
 *   signedPayload: { before: 'v0:', after: ':' },
 * });
 * ```
 *
 * Its events have no type of their own. `delivery.event`, and what `onEvent` gets, is a read-only
 * object of the body's members, by the names that they have there: `event.challenge`,
 * `event['team-id']`. To TypeScript it is a `Readonly<Record<string, unknown>>`, so check a member's
 * type before you use it. A member that is repeated has its last value; there is no `extra`, and
 * `delivery.eventType` is null.
 *
 * Any body can be verified, but a `Receiver` needs a JSON object: any other body, such as a form,
 * is `malformed_event`. The delivery of a `Verifier` has the bytes and the key.
 */
export class Scheme {
  /** Its name. */
  readonly name: string;
  readonly #parts: SchemeParts;

  /** Throws `invalid_option`. */
  constructor(given: SchemeOptions) {
    const options = checkOptions(given, [
      'name', 'signatureHeader', 'prefix', 'timestampHeader', 'timestampUnit',
      'signedPayload', 'identity', 'rejectStatus', 'clientErrorsAreFinal',
    ]);
    const payload = options.signedPayload && checkOptions(options.signedPayload, ['before', 'after']);
    const unit = textOption('timestampUnit', options.timestampUnit);
    if (unit !== undefined && unit !== 'seconds' && unit !== 'milliseconds') {
      throw invalidOption('timestampUnit is neither seconds nor milliseconds');
    }
    const timestampHeader = textOption('timestampHeader', options.timestampHeader);
    if (unit !== undefined && timestampHeader === undefined) {
      throw invalidOption('timestampUnit needs a timestampHeader');
    }
    this.name = text('name', options.name);
    this.#parts = {
      name: this.name,
      signatureHeader: text('signatureHeader', options.signatureHeader),
      prefix: textOption('prefix', options.prefix),
      timestampHeader,
      timestampInMilliseconds: unit === 'milliseconds',
      signedBefore: payload && text('before', payload.before),
      signedAfter: payload && text('after', payload.after),
      identity: textsOption('identity', options.identity),
      rejectStatus: numberOption('rejectStatus', options.rejectStatus),
      clientErrorsAreFinal: flagOption('clientErrorsAreFinal', options.clientErrorsAreFinal),
    } as SchemeParts;
  }

  /** @internal What the addon takes. */
  get [PARTS](): SchemeParts {
    return this.#parts;
  }
}
