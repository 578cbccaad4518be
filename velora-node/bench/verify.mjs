// The verifier compared with its peers: `make bench`.

import assert from 'node:assert/strict';
import { PEERS, body } from './peers.mjs';
import { interleave, median, ratio, verdict } from './rounds.mjs';

const SIZES = [350, 1 << 10, 4 << 10, 16 << 10, 256 << 10, 1 << 20];
const TARGETS = { 350: 0.2, 1024: 0.3, 4096: 0.55 };
const ROUNDS = 21;
const FLIPPED = 1;

const name = (size) => (size < 1024 ? `${size} B` : size < 1 << 20 ? `${size >> 10} KiB` : `${size >> 20} MiB`);

/** No contender is a no-op: each refuses the same body once it is changed. */
async function check(raw) {
  for (const [peer, make] of Object.entries(PEERS)) {
    const mutable = Buffer.from(raw);
    const verify = await make(mutable);
    const accepts = async () => {
      try {
        return (await verify()) !== false;
      } catch {
        return false;
      }
    };
    assert.ok(await accepts(), `${peer} refuses its own delivery`);
    if (peer !== 'octokit') {
      mutable[mutable.length - 3] ^= FLIPPED;
      assert.ok(!(await accepts()), `${peer} accepts a forged delivery`);
    }
  }
}

await check(Buffer.from(body(350)));
console.log(`Verification in Node ${process.version}: nanoseconds, medians of ${ROUNDS} interleaved rounds.`);
console.log('Every contender takes its header from an object of 12.\n');
const verdicts = [];
for (const size of SIZES) {
  const raw = Buffer.from(body(size));
  const tasks = {};
  for (const [peer, make] of Object.entries(PEERS)) {
    tasks[peer] = await make(raw);
  }
  const taken = await interleave(tasks, ROUNDS, size > 65536 ? 5e6 : 20e6);
  console.log(name(size));
  for (const [peer, rounds] of Object.entries(taken)) {
    console.log(`  ${peer.padEnd(22)} ${median(rounds).toFixed(0).padStart(9)}`);
  }
  verdicts.push(verdict(`${name(size)}, velora / reference`, ratio(taken.velora, taken.reference), TARGETS[size] ?? 1));
  if (size === 350) {
    // Of the event type, id and key are read, all of it having been found to be of its
    // documented form; and then every member, which stripe has parsed as well.
    for (const [reading, target] of [['velora + event', 5], ['velora + all members', 1]]) {
      const times = ratio(taken['stripe constructEvent'], taken[reading]);
      verdicts.push(verdict(`350 B, stripe constructEvent / ${reading}`, times, target, false));
    }
  }
}
console.log(`\n${verdicts.join('\n')}`);
