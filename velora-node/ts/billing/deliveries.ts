/** The delivery log, and what firing again gives. */

import type * as native from '../../native/index.js';
import { extra, loggedAs } from '../client.js';
import type { ApiError } from '../api-error.js';
import { toError } from '../errors.js';

/** A row of the delivery log. */
export interface LoggedDelivery {
  id: string;
  /** `ok`, `failed`, or what else there is. */
  status: string;
  statusCode: number | null;
  duration: number | null;
  errorMessage: string | null;
  /** Whether the payload is still there to be fired again. */
  retryable: boolean;
  /** The delivery that this one repeats. */
  retryOfId: string | null;
  /** Every other member. */
  extra: Record<string, unknown>;
}

/** What firing a delivery again gave. */
export interface Retried {
  deliveryId: string;
  status: string;
  statusCode: number | null;
}

/** A delivery that was fired again. */
export interface Refired {
  ofId: string;
  attempt: Retried;
}

/** A delivery that was not. */
export interface NotRefired {
  ofId: string;
  /** Its payload is gone; the system refused; or nobody knows what became of it. */
  why: 'not_retryable' | 'refused' | 'unknown';
  error: ApiError | null;
}

/** What became of a sweep. */
export interface RefireReport {
  refired: Refired[];
  failedAgain: Refired[];
  notRefired: NotRefired[];
  /** Why it stopped before its end, if it did. */
  stopped: ApiError | null;
  /** What was then left. */
  left: string[];
}

/** How far a sweep has come. */
export interface RefireProgress {
  total: number;
  refired: number;
  failedAgain: number;
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
