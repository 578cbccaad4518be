/** Billing events, whose envelope is not documented. */

/**
 * A billing event: whatever members the body has.
 *
 * Source: Velora Billing, *API + Webhooks*.
 */
export interface Event {
  /** What happened, such as `dispute.sla_breached`, where anything says so. */
  readonly type: string | null;
  /**
   * Whether the signature vouches for the type. If not, it is from `X-Webhook-Event`,
   * which anyone on the way could have rewritten: do not decide on it alone.
   */
  readonly typeIsSigned: boolean;
  /** The members of the body. */
  readonly members: Readonly<Record<string, unknown>>;
}
