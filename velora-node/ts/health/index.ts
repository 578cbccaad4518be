/** Velora Health: PHI audit events. */

export { AuditEvent, type AuditEventMembers } from './audit-event.js';
export { Client, type EventQuery, type HealthClientOptions } from './client.js';
export type { Actor, Event, EventMembers, EventOfType, KnownEventType, Resource, UnknownEvent } from './event.js';
export { Export, readExportManifest, verifyExport } from './export.js';
export type { ExportedOnce, ExportOptions, ExportQuery, LeafProof, Manifest, Progress } from './export.js';
export { Page } from './page.js';
export type { Endpoint, NewEndpoint, Registration, Webhooks } from './webhooks.js';
