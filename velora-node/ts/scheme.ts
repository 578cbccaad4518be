/** How a system signs its deliveries. */

import type { SchemeParts } from '../native/index.js';
import { checkOptions, flagOption, invalidOption, numberOption, text, textOption, textsOption } from './options.js';
import { PARTS, type SchemeName } from './named.js';

export type { SchemeName };

/** A scheme of your own, described. */
export interface SchemeOptions {
  /** Its name, which stands in keys and logs. No system may have it. */
  name: string;
  /** The header that carries the signature, in any case. */
  signatureHeader: string;
  /**
   * The text before the hex digits, such as `sha256=`, perhaps empty. Absent: the header
   * is a list, `t=<seconds>,v1=<hex>[,v1=<hex>…]`.
   */
  prefix?: string | undefined;
  /** The header that carries the timestamp, where the signature's does not. */
  timestampHeader?: string | undefined;
  /** Its unit. Seconds by default. */
  timestampUnit?: 'seconds' | 'milliseconds' | undefined;
  /** What stands around the timestamp before the body. Absent: the body alone is signed. */
  signedPayload?: { before: string; after: string } | undefined;
  /** The members of the body that identify an event. Absent: its digest does. */
  identity?: readonly string[] | undefined;
  /** The status that answers a refusal. 401 by default. */
  rejectStatus?: number | undefined;
  /** The sender does not repeat what was answered with a 4xx. */
  clientErrorsAreFinal?: boolean | undefined;
}

/**
 * How one system signs: for systems of your own. What cannot work is `invalid_scheme`
 * when a `Verifier` or a `Signer` is made of it.
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
 * Any bytes can be verified. An event is a JSON object: to a `Receiver` another body, such as
 * a form, is `malformed_event`; the delivery of a `Verifier` has its bytes and its key.
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
    if (unit !== undefined && options.timestampHeader === undefined) {
      throw invalidOption('timestampUnit needs a timestampHeader');
    }
    this.name = text('name', options.name);
    this.#parts = {
      name: this.name,
      signatureHeader: text('signatureHeader', options.signatureHeader),
      prefix: textOption('prefix', options.prefix),
      timestampHeader: textOption('timestampHeader', options.timestampHeader),
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
