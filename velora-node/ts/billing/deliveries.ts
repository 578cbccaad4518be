/** The delivery log, and what firing again gives. */

import type * as native from '../../native/index.js';
import { extra, loggedAs } from '../client.js';
import type { ApiError } from '../api-error.js';
import { toError } from '../errors.js';

/** A row of the delivery log: one attempt. Logging it shows its id and its status alone. */
export interface LoggedDelivery {
  /** Its id, such as `del_abc123`. */
  id: string;
  /** How it ended: `ok`, `failed`, or what else there is. */
  status: string;
  /** The HTTP status that the endpoint answered with, if it did. */
  statusCode: number | null;
  /** How long the endpoint took. The unit is not documented. */
  duration: number | null;
  /** What went wrong. */
  errorMessage: string | null;
  /** Whether the payload is still there to be fired again. */
  retryable: boolean;
  /** The delivery that this one repeats. */
  retryOfId: string | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/** What firing a delivery again gave: a new attempt. */
export interface Retried {
  /** The new attempt's row in the log. */
  deliveryId: string;
  /** How it ended. */
  status: string;
  /** The HTTP status that the endpoint answered with, if it did. */
  statusCode: number | null;
}

/** A delivery that was fired again. */
export interface Refired {
  /** The delivery in the log. */
  ofId: string;
  /** What the new attempt gave. */
  attempt: Retried;
}

/** A delivery that was not fired again, or perhaps was. */
export interface NotRefired {
  /** The delivery in the log. */
  ofId: string;
  /**
   * `not_retryable`: its payload was not retained. `refused`: by the system. `unknown`: the
   * answer was lost, the next sweep will see.
   */
  why: 'not_retryable' | 'refused' | 'unknown';
  /** What the system said. */
  error: ApiError | null;
}

/** What became of a sweep. */
export interface RefireReport {
  /** What arrived. */
  refired: Refired[];
  /** What the endpoint refused once more, or has not taken yet. */
  failedAgain: Refired[];
  /** What could not be fired again, and why. */
  notRefired: NotRefired[];
  /** What ended the sweep before its time; null where it went through. */
  stopped: ApiError | null;
  /** The deliveries that it did not come to. */
  left: string[];
}

/** How far a sweep has come. */
export interface Progress {
  /** Events that have not arrived. */
  total: number;
  /** Events that have arrived by now. */
  refired: number;
  /** Fired again, and refused again by the endpoint. */
  failedAgain: number;
  /** Could not be fired again, or it is not known whether they were. */
  notRefired: number;
}

/** What the addon gives. */
export function loggedDelivery(parts: native.LoggedDeliveryParts): LoggedDelivery {
  return loggedAs(`LoggedDelivery(${parts.id}, ${parts.status})`, {
    id: parts.id,
    status: parts.status,
    statusCode: parts.statusCode ?? null,
    duration: parts.duration ?? null,
    errorMessage: parts.errorMessage ?? null,
    retryable: parts.retryable,
    retryOfId: parts.retryOfId ?? null,
    extra: extra(parts.extra),
  });
}

/** What the addon gives. */
export function retried(parts: native.RetriedParts): Retried {
  return { deliveryId: parts.deliveryId, status: parts.status, statusCode: parts.statusCode ?? null };
}

/** What the addon gives. */
export function refireReport(parts: native.RefireReportParts): RefireReport {
  const refired = (one: native.RefiredParts): Refired => ({ ofId: one.ofId, attempt: retried(one.attempt) });
  return {
    refired: parts.refired.map(refired),
    failedAgain: parts.failedAgain.map(refired),
    notRefired: parts.notRefired.map((one) => ({
      ofId: one.ofId,
      why: one.why as NotRefired['why'],
      error: apiError(one.error),
    })),
    stopped: apiError(parts.stopped),
    left: parts.left,
  };
}

function apiError(failure: native.Failure | null | undefined): ApiError | null {
  return failure ? (toError(failure) as ApiError) : null;
}
