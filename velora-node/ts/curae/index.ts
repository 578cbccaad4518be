/** CuraeAI: platform events of connections, imports and exports. */

export { Client } from './client.js';
export type { CuraeClientOptions, Endpoint, EndpointChange, EndpointQuery, EventType, NewEndpoint, Registration, Versioned, Webhooks } from './client.js';
export type { Event, EventMembers, EventOfType, KnownEventType, UnknownEvent } from './event.js';
