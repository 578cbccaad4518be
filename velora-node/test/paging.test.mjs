// Where a list starts, and how an iteration is ended: nothing more is returned, however much is ready.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { health } from 'velora';
import { codeOf, HEALTH_KEY, simulate, WEEK } from './support.mjs';

const FORMS = {
  'the events of a list': (client, options) => client.events(WEEK, options)[Symbol.asyncIterator](),
  'the pages of a list': (client, options) => client.events({ ...WEEK, limit: 100 }, options).pages(),
  'the rows of an export': (client, options) => client.export(WEEK, options)[Symbol.asyncIterator](),
  'the chunks of an export': (client, options) => client.export(WEEK, options).pages(),
  'the stream of an export': (client, options) => client.export(WEEK, options).toReadableStream()[Symbol.asyncIterator](),
};

for (const [name, open] of Object.entries(FORMS)) {
  test(`a signal ends ${name} at the next one`, async (context) => {
    const simulator = await simulate(context, '--events', '3500');
    const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
    const reason = new Error('enough');
    for (const given of [1, 2]) {
      const controller = new AbortController();
      const steps = open(client, { signal: controller.signal });
      for (let seen = 0; seen < given; seen += 1) {
        assert.equal((await steps.next()).done, false);
      }
      controller.abort(reason);
      await assert.rejects(steps.next(), reason);
    }
  });
}

test('what a signal has ended fails again, and what had ended before it has ended', async (context) => {
  const simulator = await simulate(context, '--events', '20');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  const reason = new Error('enough');
  const controller = new AbortController();
  const [cut, left, whole] = [0, 1, 2].map(() => client.export(WEEK, { signal: controller.signal })[Symbol.asyncIterator]());
  let rows = 0;
  for await (const event of whole) {
    rows += event.eventId === null ? 0 : 1;
  }
  assert.equal(rows, 20);
  await Promise.all([cut.next(), left.next()]);
  await left.return();
  controller.abort(reason);
  for (let round = 0; round < 2; round += 1) {
    await assert.rejects(cut.next(), reason);
    assert.equal((await left.next()).done, true);
    assert.equal((await whole.next()).done, true);
  }
});

test('a list starts where a page ended', async (context) => {
  const simulator = await simulate(context, '--events', '3500');
  const client = new health.Client({ apiKey: HEALTH_KEY, baseUrl: simulator.url });
  const pages = [];
  for await (const page of client.events(WEEK).pages()) {
    pages.push(page);
  }
  assert.deepEqual(pages.map(({ nextCursor }) => nextCursor === null), [false, false, false, true]);
  for (const ended of [0, 2]) {
    const rest = await client.events({ ...WEEK, limit: 300, cursor: pages[ended].nextCursor }).toArray();
    // The page's own may come again at its edge.
    const lines = rest.map(({ line }) => line).filter((line) => !pages[ended].lines.includes(line));
    assert.deepEqual(lines, pages.slice(ended + 1).flatMap((page) => page.lines));
  }
  assert.equal(await codeOf(() => client.events({ cursor: '' })), 'invalid_option');
});
