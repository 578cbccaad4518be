// Reads the audit API, and prints each event as it was received.

import { once } from 'node:events';
import { parseArgs } from 'node:util';

const text = { type: 'string' };

/** The exit code; what failed is the last line on standard error. */
export async function read({ ApiError, VeloraError, health }, command, args) {
  const { values: given } = parseArgs({
    args,
    options: { 'base-url': text, 'api-key': text, since: text, until: text, 'phi-involved': text, limit: text },
  });
  try {
    const client = new health.Client({ apiKey: given['api-key'], baseUrl: given['base-url'] });
    const query = { since: given.since, until: given.until };
    if (given['phi-involved'] !== undefined) {
      query.phiInvolved = given['phi-involved'] === 'true';
    }
    if (command === 'list-events' && given.limit !== undefined) {
      query.limit = Number(given.limit);
    }
    const events = command === 'export' ? client.export(query) : client.events(query);
    for await (const page of events.pages()) {
      if (!process.stdout.write(`${page.raw.join('\n')}\n`)) {
        await once(process.stdout, 'drain');
      }
    }
    return 0;
  } catch (error) {
    if (!(error instanceof VeloraError)) {
      throw error;
    }
    const status = error instanceof ApiError ? error.status : null;
    console.error(JSON.stringify({ code: error.code, status, message: error.message }));
    return 1;
  }
}
