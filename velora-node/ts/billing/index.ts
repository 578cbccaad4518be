/** Velora Billing: reconciliation and dispute events. */

export { Client } from './client.js';
export type { BillingClientOptions, CsvRow, DeliveryQuery, ReconRun, ReconSummary, RefireOptions } from './client.js';
export type { LoggedDelivery, NotRefired, Progress, Refired, RefireReport, Retried } from './deliveries.js';
export type { Event } from './event.js';
