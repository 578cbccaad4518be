// Describes the faults of the simulator, and the result of reading with one.

import assert from 'node:assert/strict';
import { ApiError } from 'velora';

export const WHOLE = 'whole';
export const EVENTS = '/api/v2/public/audit/events';
export const EXPORT = '/api/v2/public/audit/export';
const BACKOFF = { base: 0.001, max: 0.002 };

// What becomes of a listing, and of an export.
export const OF_EVENTS = {
  'rate_limited=1': [WHOLE, WHOLE], 'rate_limited_date=1': [WHOLE, WHOLE], rate_limited_bare: [WHOLE, WHOLE],
  rate_limited_hour: ['rate_limited', 'rate_limited'], 'status=500': [WHOLE, WHOLE], 'status=503': [WHOLE, WHOLE],
  'status=400': ['invalid_request', 'invalid_request'], 'status=401': ['unauthorized', 'unauthorized'],
  'status=403': ['forbidden', 'forbidden'], 'status=404': ['not_found', 'not_found'], 'status=409': ['conflict', 'conflict'],
  'status=422': ['invalid_request', 'invalid_request'], reset: [WHOLE, WHOLE], reset_after: [WHOLE, WHOLE], hang: [WHOLE, WHOLE],
  'latency=50': [WHOLE, WHOLE], cut_length: [WHOLE, WHOLE], cut_chunked: [WHOLE, WHOLE], cut_row: [WHOLE, WHOLE],
  cut_reset: [WHOLE, WHOLE], stall: [WHOLE, WHOLE], endless: ['response_too_large', WHOLE], gzip: [WHOLE, WHOLE],
  'gzip_bomb=64': ['response_too_large', WHOLE], wrong_content_type: [WHOLE, WHOLE],
  not_json: ['malformed_response', 'malformed_response'], bad_row: ['malformed_response', 'malformed_response'],
  pretty: [WHOLE, WHOLE], 'truncation_header=yes': [WHOLE, WHOLE], repeat_cursor: ['cursor_loop', WHOLE],
  loop_cursor: ['cursor_loop', WHOLE], no_cursor: ['cursor_loop', WHOLE], empty_page: [WHOLE, WHOLE], duplicate_rows: [WHOLE, WHOLE],
  redirect: ['unexpected_redirect', 'unexpected_redirect'], redirect_307: ['unexpected_redirect', 'unexpected_redirect'],
  redirect_308: ['unexpected_redirect', 'unexpected_redirect'],
};

// Those that once are none.
const AGAIN = ['loop_cursor', 'not_json', 'bad_row'];
// Those that are noticed by waiting; with all others nobody is in a hurry.
const WAITED_FOR = ['hang', 'stall'];

export function fault(name, more) {
  const [kind, text] = name.split('=');
  const value = text === undefined ? {} : { value: /^\d+$/.test(text) ? Number(text) : text };
  return { kind, ...value, ...(AGAIN.includes(kind) ? { always: true } : {}), ...more };
}

export function options(name, url, more) {
  return { baseUrl: url, backoff: BACKOFF, readTimeout: WAITED_FOR.includes(name) ? 1 : 20, ...more };
}

/** What came of it; a part of the rows, or one twice, is none of the allowed answers. */
export async function verdict(rows, truth, text) {
  const read = [];
  try {
    for await (const row of rows) {
      read.push(text(row));
    }
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error.code;
  }
  return JSON.stringify(read.toSorted()) === JSON.stringify(truth.toSorted()) ? WHOLE : `${read.length} of ${truth.length} rows`;
}

export const plain = (event) => event.line;
/** Without what a pretty printer puts between the tokens. */
export const compact = (event) => JSON.stringify(JSON.parse(event.line));
