// Arbitrary inputs lead to a verdict or a VeloraError, and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Scheme, Signer, VeloraError, Verifier } from 'velora';
import { SECRET } from './support.mjs';

const RUNS = Number(process.env.VELORA_SOAK_CASES ?? 500);
if (process.env.VELORA_SOAK_CASES === undefined) {
  // The same cases in every run.
  fc.configureGlobal({ seed: 1 });
}
const SCHEMES = ['health', 'billing', 'curae', 'tv', 'tv-body-only'];
const verifiers = SCHEMES.map((name) => new Verifier(name, SECRET));
const NAMES = ['X-Velora-Signature', 'x-velora-timestamp', 'X-Webhook-Signature', 'X-Webhook-Timestamp', 'CuraeAI-Signature', 'curaeai-event-id'];

/** The code, or `ok`; what is not a VeloraError is thrown. */
function verdict(call) {
  try {
    call();
    return 'ok';
  } catch (error) {
    assert.ok(error instanceof VeloraError, String(error));
    assert.notEqual(error.code, 'internal', error.message);
    return error.code;
  }
}

const name = fc.oneof(fc.constantFrom(...NAMES), fc.string());
const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('t=1,v1=', `t=1780000000,v1=${'0'.repeat(64)}`, `sha256=${'a'.repeat(64)}`, '1780000000'));
const headers = fc.oneof(
  fc.anything(), fc.dictionary(name, fc.oneof(value, fc.array(value), fc.constant(undefined), fc.anything())),
  fc.array(fc.tuple(name, value)), fc.array(value).map((flat) => ['Host', ...flat]),
);
const body = fc.oneof(fc.anything(), fc.string({ unit: 'binary' }), fc.uint8Array(), fc.json());
const options = fc.oneof(fc.constant(undefined), fc.record({ now: fc.oneof(fc.double(), fc.date(), fc.anything()) }), fc.anything());

test('verify', () => {
  fc.assert(
    fc.property(fc.constantFrom(...verifiers), body, headers, options, (verifier, given, found, how) => {
      verdict(() => verifier.verify(given, found, how));
    }),
    { numRuns: RUNS * 4 },
  );
});

test('construction', () => {
  const scheme = fc.oneof(fc.constantFrom(...SCHEMES), fc.anything());
  fc.assert(
    fc.property(scheme, fc.oneof(fc.string(), fc.anything()), fc.anything(), (system, secret, how) => {
      verdict(() => new Verifier(system, secret, how));
      verdict(() => new Signer(system, secret));
      verdict(() => new Scheme(how));
    }),
    { numRuns: RUNS },
  );
});

test('what is signed is verified, whatever bytes it is; and not once a byte is changed', () => {
  fc.assert(
    fc.property(fc.nat(SCHEMES.length - 1), fc.uint8Array({ minLength: 1 }), fc.nat(), (at, bytes, place) => {
      const signed = new Signer(SCHEMES[at], SECRET).sign(bytes);
      const verify = (given) => verdict(() => verifiers[at].verify(given, signed.headers));
      assert.equal(verify(bytes), 'ok');
      const changed = Uint8Array.from(bytes);
      changed[place % bytes.length] ^= 1 << (place % 8);
      assert.equal(verify(changed), 'signature_mismatch');
    }),
    { numRuns: RUNS },
  );
});

test('what is read of a genuine body is its JSON, or malformed_event', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), fc.string({ minLength: 1 }), (text, id) => {
      const event = JSON.stringify({ id, type: 'phi.read', details: text });
      const signer = new Signer('health', SECRET);
      for (const given of [text, event]) {
        const signed = signer.sign(given);
        const delivery = verifiers[0].verify(signed.body, signed.headers);
        const code = verdict(() => delivery.event);
        assert.ok(code === 'ok' || code === 'malformed_event', code);
        if (code === 'ok') {
          assert.deepEqual(JSON.parse(JSON.stringify(delivery.event)), JSON.parse(Buffer.from(signed.body).toString()));
        }
      }
    }),
    { numRuns: RUNS },
  );
});
