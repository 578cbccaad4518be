/** The module with the interface of Node's addon: the TypeScript layer works on either. */

export type {
  ApiFailure, ClientParts, EventQueryParts, EventsText, ExportQueryParts, Failure, HealthEndpoint,
  PageParts, ProgressParts, RateLimitParts, ReplyParts, SchemeParts, StoreAnswer, StoreParts, ToleranceParts,
} from './types.js';
export { NativeCancel } from './tasks.js';
export { detailsOfEvent, fieldsAccessedOfEvent, isInstant, keyOfEvent, lineOfEvent, NativeEventPages, NativeExport, NativeHealth } from './health.js';
export { NativeReceiver, NativeSigner, NativeStore, NativeWork } from './receiver.js';
export { checkSecret } from './verifier.js';
export type { Envelope, Verdict } from './verifier.js';
