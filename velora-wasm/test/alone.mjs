// `velora-wasm/verify` without a larger entry: prints the failures of the vectors, and then what
// becomes of its verifiers once a larger entry is loaded.

import { readdirSync, readFileSync } from 'node:fs';
import { answers } from '../../conformance/js/cases.mjs';
import * as alone from 'velora-wasm/verify';

const { Verifier, VeloraError } = alone;

/** It knows no event that a header could contradict. */
class Checking extends Verifier {
  verify(...given) {
    const delivery = super.verify(...given);
    return { checkHeaders: () => delivery.body };
  }
}

const folder = new URL('../../conformance/vectors/', import.meta.url);
const { verify } = answers({ Verifier: Checking, VeloraError });
const failed = [];
let count = 0;
for (const name of readdirSync(folder).filter((name) => name.endsWith('.jsonl'))) {
  for (const line of readFileSync(new URL(name, folder), 'utf8').split('\n').filter((line) => line !== '')) {
    const { id, expect } = JSON.parse(line);
    const wanted = expect.code === 'header_body_mismatch' ? { ok: true } : expect;
    const { id: _, ...found } = JSON.parse(verify(line));
    count += 1;
    if (JSON.stringify(Object.entries(found).sort()) !== JSON.stringify(Object.entries(wanted).sort())) {
      failed.push(id);
    }
  }
}

const SECRET = 'whsec-of-your-endpoint';
const schemes = ['health', 'billing', 'curae', 'tv', 'tv-body-only'];
const before = schemes.map((scheme) => new Verifier(scheme, SECRET));
const { Signer } = await import('velora-wasm');
const others = schemes.toReversed().map((scheme) => new Verifier(scheme, SECRET));
/** Whose deliveries each accepts, of those that were made before and behind it. */
const accepted = schemes.map((scheme) => {
  const { body, headers } = new Signer(scheme, SECRET).sign('{"id":"evt_1","type":"a","eventId":"1","eventType":"a","event":"a"}');
  const accepts = (verifier) => {
    try {
      return verifier.verify(body, headers).scheme;
    } catch (error) {
      return error.code;
    }
  };
  return [before, others].map((verifiers) => verifiers.map(accepts).filter((found) => schemes.includes(found)));
});
console.log(JSON.stringify({ count, failed, accepted }));
