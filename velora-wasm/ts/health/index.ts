/** Velora Health: PHI audit events. What has to do with files is Node's. */

export { AuditEvent, type AuditEventMembers } from './audit-event.js';
export { Client, type EventQuery, type HealthClientOptions } from './client.js';
export type { Actor, Event, EventMembers, EventOfType, KnownEventType, Resource, UnknownEvent } from './event.js';
export { Export, type ExportedOnce, type ExportOptions, type ExportQuery, type Progress } from './export.js';
export { Page } from './page.js';
export type { Endpoint, NewEndpoint, Registration, Webhooks } from './webhooks.js';
