// Cases, one a line, and their answers in order.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Verifier, VeloraError } from '../../velora-node/dist/index.mjs';

/** So much is written at once while more is waiting to be read. */
const BATCH = 64 * 1024;
const TOLERANCES = { NaN, Infinity, '-Infinity': -Infinity };

/** Answers every line that is not blank. */
export async function answerAll(command, input, output) {
  const answer = command === 'verify' ? verify : event;
  let written = '';
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const text = line.trim();
    if (text !== '') {
      written += `${answerTo(text, answer)}\n`;
    }
    // One who waits for an answer before writing the next case gets it.
    if (written.length > BATCH || input.readableLength === 0) {
      if (!output.write(written)) {
        await once(output, 'drain');
      }
      written = '';
    }
  }
  output.write(written);
}

/** The answer to a line. */
export function answerTo(line, answer = verify) {
  let fields;
  try {
    fields = JSON.parse(line);
  } catch {
    return refused(null, 'invalid_case');
  }
  const id = isObject(fields) ? (fields.id ?? null) : null;
  const found = readCase(fields);
  if (found === null) {
    return refused(id, 'invalid_case');
  }
  try {
    return JSON.stringify({ id, ok: true, ...answer(found) });
  } catch (error) {
    if (error instanceof VeloraError) {
      return refused(id, error.code);
    }
    throw error;
  }
}

export function verify(found) {
  delivery(found).checkHeaders();
  return {};
}

export function event(found) {
  const verified = delivery(found);
  return { type: verified.eventType, key: verified.key, extra: extra(verified) };
}

/** The members that are not as documented, those of documented objects with their path. */
function extra({ scheme, event: read }) {
  if (scheme === 'billing') {
    return [];
  }
  const names = Object.keys(read.extra);
  // What else `data` is has no documented members.
  const objects = scheme === 'health' ? ['actor', 'resource'] : (read.type ?? read.event) === 'stream.online' ? ['data'] : [];
  for (const path of objects) {
    names.push(...Object.keys(read[path]?.extra ?? {}).map((name) => `${path}.${name}`));
  }
  return names.sort();
}

function delivery({ scheme, secrets, tolerance, body, headers, now }) {
  const verifier = new Verifier(scheme, secrets, tolerance === undefined ? undefined : { tolerance });
  return verifier.verify(body, headers, { now });
}

/** A case whose every part can be read, else null. */
function readCase(fields) {
  if (!isObject(fields)) {
    return null;
  }
  const { scheme, secrets, secrets_b64, body_b64, headers, now, tolerance } = fields;
  if (typeof scheme !== 'string' || (given(secrets) && given(secrets_b64)) || typeof now !== 'number') {
    return null;
  }
  const body = decode(body_b64);
  const keys = given(secrets_b64) ? list(secrets_b64, decode) : list(secrets ?? [], (text) => (typeof text === 'string' ? text : null));
  const pairs = list(headers, (pair) => (isPair(pair) ? [pair[0], onTheWire(pair[1])] : null));
  const seconds = readTolerance(tolerance);
  if (body === null || keys === null || pairs === null || seconds === null) {
    return null;
  }
  return { scheme, secrets: keys, tolerance: seconds, body, headers: pairs, now };
}

function refused(id, code) {
  return JSON.stringify({ id, ok: false, code });
}

function readTolerance(tolerance) {
  if (!given(tolerance)) {
    return undefined;
  }
  return typeof tolerance === 'number' ? tolerance : (TOLERANCES[tolerance] ?? null);
}

function list(values, read) {
  if (!Array.isArray(values)) {
    return null;
  }
  const found = values.map(read);
  return found.includes(null) ? null : found;
}

/** Base64 of the standard alphabet, padded, and nothing else. */
function decode(text) {
  if (typeof text !== 'string') {
    return null;
  }
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

/** Node shows each byte of a header as one character. */
function onTheWire(text) {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function isPair(pair) {
  return Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string');
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function given(value) {
  return value !== undefined && value !== null;
}
