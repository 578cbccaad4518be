/** Billing events, whose envelope is not documented. */

/**
 * A billing event: whatever members the body has.
 *
 * Source: Velora Billing, *API + Webhooks*.
 */
export interface Event {
  /** What happened, such as `dispute.sla_breached`; null if nothing names it. */
  readonly type: string | null;
  /**
   * Whether `type` comes from the body, which is under the MAC. Otherwise it comes from the header
   * `X-Webhook-Event`, which anyone on the way could have rewritten: do not rely on it alone. If
   * nothing names it, it is not signed.
   */
  readonly typeIsSigned: boolean;
  /** The members of the body. */
  readonly members: Readonly<Record<string, unknown>>;
}
