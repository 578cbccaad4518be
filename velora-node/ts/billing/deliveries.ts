/** The delivery log, and the results of re-firing. */

import type * as native from '../../native/index.js';
import { extra, loggedAs } from '../client.js';
import type { ApiError } from '../api-error.js';
import { toError } from '../errors.js';

/** A row of the delivery log: one delivery attempt. Logging it shows only its id and its status. */
export interface LoggedDelivery {
  /** Its id, such as `del_abc123`. */
  id: string;
  /** Its status: `ok`, `failed`, or one that is newer than this version. */
  status: string;
  /** The HTTP status of the endpoint's response, if there was one. */
  statusCode: number | null;
  /** How long the endpoint took. The unit is not documented. */
  duration: number | null;
  /** What went wrong. */
  errorMessage: string | null;
  /** Whether the payload was retained, so that the delivery can be re-fired. */
  retryable: boolean;
  /** The id of the delivery that this one re-fired. */
  retryOfId: string | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/** The result of re-firing a delivery: a new attempt. */
export interface Retried {
  /** The id of the new attempt in the log. */
  deliveryId: string;
  /** Its status. */
  status: string;
  /** The HTTP status of the endpoint's response, if there was one. */
  statusCode: number | null;
}

/** A delivery that was re-fired. */
export interface Refired {
  /** The id of the delivery in the log. */
  ofId: string;
  /** The new attempt. */
  attempt: Retried;
}

/** A delivery that was not re-fired, or may not have been. */
export interface NotRefired {
  /** The id of the delivery in the log. */
  ofId: string;
  /**
   * `not_retryable`: its payload was not retained. `refused`: the system refused. `unknown`: the
   * response was lost; the next call will find out.
   */
  why: 'not_retryable' | 'refused' | 'unknown';
  /** The error of the call, if one was made. */
  error: ApiError | null;
}

/** The result of `refireFailed`. */
export interface RefireReport {
  /** The deliveries that arrived. */
  refired: Refired[];
  /** The deliveries that the endpoint refused again, or has not accepted yet. */
  failedAgain: Refired[];
  /** The deliveries that could not be re-fired, and why. */
  notRefired: NotRefired[];
  /** The error that ended it early; null if it ran to the end. */
  stopped: ApiError | null;
  /** The ids of the deliveries that it did not get to. */
  left: string[];
}

/** The progress of `refireFailed`. */
export interface Progress {
  /** How many events had not arrived. */
  total: number;
  /** How many of them have arrived by now. */
  refired: number;
  /** How many were re-fired, but not accepted by the endpoint. */
  failedAgain: number;
  /** How many could not be re-fired, or may not have been. */
  notRefired: number;
}

/** Converts what the addon returned. */
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

/** Converts what the addon returned. */
export function retried(parts: native.RetriedParts): Retried {
  return { deliveryId: parts.deliveryId, status: parts.status, statusCode: parts.statusCode ?? null };
}

/** Converts what the addon returned. */
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
