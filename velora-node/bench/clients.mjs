// Listing and exporting, compared with a plain `fetch().json()` loop: `make bench`.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { health } from '../dist/index.mjs';
import { median, ratio, verdict } from './rounds.mjs';

const EVENTS = 50_000;
const ROUNDS = 9;
const KEY = 'vlk_live_00000001_0123456789abcdef0123456789abcdef';
const WEEK = { since: '2026-05-01T00:00:00Z', until: '2026-05-08T00:00:00Z' };
const AUDIT = '/api/v2/public/audit';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const program = process.env.VELORA_SIMULATOR ?? join(root, 'target/release/velora-simulator');
// It keeps what it has once written: what is measured is whoever reads.
const serving = ['--events', String(EVENTS), '--cache-mib', '512', '--until-stdin-ends'];
const simulator = spawn(program, serving, { stdio: ['pipe', 'pipe', 'inherit'] });
const url = await listening();
const client = new health.Client({ apiKey: KEY, baseUrl: url });
const headers = { authorization: `Bearer ${KEY}` };

async function listening() {
  for await (const line of createInterface({ input: simulator.stdout })) {
    return line.replace('listening on ', '');
  }
  throw new Error('the simulator did not start');
}

/** What every contender does with an event: five fields are read. */
let seen = 0;
function use(id, timestamp, action, user, phi) {
  seen += id.length + timestamp.length + action.length + (user === null ? 0 : 1) + (phi === true ? 1 : 0);
}

async function plainList() {
  let count = 0;
  let cursor;
  do {
    const query = new URLSearchParams({ ...WEEK, limit: '1000', ...(cursor && { cursor }) });
    const response = await fetch(`${url}${AUDIT}/events?${query}`, { headers });
    const { events, page } = await response.json();
    for (const event of events) {
      use(event.event_id, event.timestamp, event.action, event.user_id ?? null, event.phi_involved);
    }
    count += events.length;
    cursor = page.has_more ? page.next_cursor : undefined;
  } while (cursor !== undefined);
  return count;
}

async function list() {
  let count = 0;
  for await (const page of client.events(WEEK).pages()) {
    for (const event of page) {
      use(event.eventId, event.timestamp, event.action, event.userId, event.phiInvolved);
    }
    count += page.length;
  }
  return count;
}

async function listOneByOne() {
  let count = 0;
  for await (const event of client.events(WEEK)) {
    use(event.eventId, event.timestamp, event.action, event.userId, event.phiInvolved);
    count += 1;
  }
  return count;
}

/** Windows that are known to fit: what a plain loop cannot know. */
async function plainExport() {
  let count = 0;
  for (let day = 1; day <= 7; day += 1) {
    for (const [from, to] of [['00:00:00', '12:00:00'], ['12:00:00', '24:00:00']]) {
      const at = (time) => (time === '24:00:00' ? `2026-05-0${day + 1}T00:00:00+00:00` : `2026-05-0${day}T${time}+00:00`);
      const response = await fetch(`${url}${AUDIT}/export?format=ndjson`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ since: at(from), until: at(to) }),
      });
      for (const line of (await response.text()).split('\n')) {
        if (line !== '') {
          const event = JSON.parse(line);
          use(event.event_id, event.timestamp, event.action, event.user_id ?? null, event.phi_involved);
          count += 1;
        }
      }
    }
  }
  return count;
}

async function exportAll() {
  let count = 0;
  for await (const page of client.export(WEEK).pages()) {
    for (const event of page) {
      use(event.eventId, event.timestamp, event.action, event.userId, event.phiInvolved);
    }
    count += page.length;
  }
  return count;
}

const tasks = { 'list: fetch().json()': plainList, 'list: velora, pages': list, 'list: velora, events': listOneByOne, 'export: fetch + lines': plainExport, 'export: velora': exportAll };
const taken = Object.fromEntries(Object.keys(tasks).map((name) => [name, []]));
for (let round = -2; round < ROUNDS; round += 1) {
  for (const [name, task] of Object.entries(tasks)) {
    const begun = process.hrtime.bigint();
    const count = await task();
    const nanoseconds = Number(process.hrtime.bigint() - begun);
    assert.ok(count >= EVENTS * 0.99, `${name}: ${count}`);
    if (round >= 0) {
      taken[name].push(count / nanoseconds);
    }
  }
}
simulator.stdin.end();
assert.ok(seen > 0);

console.log(`\nAudit client in Node ${process.version}: events/s, medians of ${ROUNDS} interleaved rounds, 0 ms latency.\n`);
for (const [name, rounds] of Object.entries(taken)) {
  console.log(`  ${name.padEnd(24)} ${(median(rounds) * 1e6).toFixed(0).padStart(6)} k`);
}
console.log();
console.log(verdict('list, velora pages / fetch().json()', ratio(taken['list: velora, pages'], taken['list: fetch().json()']), 1.3, false));
console.log(verdict('list, velora events / fetch().json()', ratio(taken['list: velora, events'], taken['list: fetch().json()']), 1.3, false));
console.log(verdict('export, velora / fetch and lines', ratio(taken['export: velora'], taken['export: fetch + lines']), 1.3, false));
