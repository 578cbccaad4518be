/** Velora TV: stream, channel and user events. */

export { Client, CreatedWebhook } from './client.js';
export type { Connected, EventStream, Gap, NewWebhook, StreamEvent, StreamItem, StreamOptions, TvClientOptions } from './client.js';
export type { BodyOnlyEvent, BodyOnlyEventOfType, DataOf, Event, EventOfType, KnownEventType, StreamOnline, UnknownBodyOnlyEvent, UnknownEvent } from './event.js';
