/** Velora Health: PHI audit events. */

export { AuditEvent, type AuditEventMembers } from './audit-event.js';
export type { EventQuery, HealthClientOptions } from './client.js';
export type { Actor, Event, EventMembers, EventOfType, KnownEventType, Resource, UnknownEvent } from './event.js';
export { Export, type ExportedOnce, type ExportOptions, type ExportQuery, type Progress } from './export.js';
export { Client } from './file-client.js';
export { Manifest, type LeafProof } from './manifest.js';
export { Page } from './page.js';
export type { Endpoint, NewEndpoint, Registration, Webhooks } from './webhooks.js';
