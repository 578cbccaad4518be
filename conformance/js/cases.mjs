// Cases and their answers, on any host: nothing here needs Node.

/** The functions that answer cases, using the package's public API. */
export function answers({ Verifier, VeloraError }) {
  const delivery = ({ scheme, secrets, tolerance, body, headers, now }) =>
    new Verifier(scheme, secrets, tolerance === undefined ? undefined : { tolerance }).verify(body, headers, { now });
  const verify = (found) => {
    delivery(found).checkHeaders();
    return {};
  };
  const event = (found) => {
    const verified = delivery(found);
    return { type: verified.eventType, key: verified.key, extra: extra(verified) };
  };
  const key = (found) => ({ key: delivery(found).key });
  const answerTo = (line, answer) => {
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
  };
  return { verify: (line) => answerTo(line, verify), event: (line) => answerTo(line, event), key: (line) => answerTo(line, key) };
}

/** The members that are not as documented, those of documented objects with their path. */
function extra({ scheme, event: read }) {
  if (scheme === 'billing') {
    return [];
  }
  const names = Object.keys(read.extra);
  // Any other `data` has no documented members.
  const objects = scheme === 'health' ? ['actor', 'resource'] : (read.type ?? read.event) === 'stream.online' ? ['data'] : [];
  for (const path of objects) {
    names.push(...Object.keys(read[path]?.extra ?? {}).map((name) => `${path}.${name}`));
  }
  return names.sort();
}

const TOLERANCES = { NaN, Infinity, '-Infinity': -Infinity };

/** A case in which everything can be read, else null. */
function readCase(fields) {
  if (!isObject(fields)) {
    return null;
  }
  const { scheme, secrets, secrets_b64, body_b64, headers, now, tolerance } = fields;
  if (typeof scheme !== 'string' || !scheme.isWellFormed() || (given(secrets) && given(secrets_b64)) || !Number.isFinite(now)) {
    return null;
  }
  const body = decode(body_b64);
  const keys = given(secrets_b64) ? list(secrets_b64, decode) : list(secrets ?? [], (text) => (typeof text === 'string' && text.isWellFormed() ? text : null));
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

/** Strict base64: the standard alphabet, padded, without other characters. */
function decode(text) {
  if (typeof text !== 'string') {
    return null;
  }
  try {
    const latin = atob(text);
    return btoa(latin) === text ? Uint8Array.from(latin, (character) => character.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}

/** Hosts show each byte of a header as one character. */
function onTheWire(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

function isPair(pair) {
  return Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string' && part.isWellFormed());
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function given(value) {
  return value !== undefined && value !== null;
}
