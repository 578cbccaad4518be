// Reads the audit API, and prints each event as it was received.

import { once } from 'node:events';
import { matching, optionsOf } from './arguments.mjs';

const NEEDED = ['base-url', 'api-key', 'since', 'until'];

/** Returns the exit code; an error is the last line on standard error. */
export async function read({ ApiError, VeloraError, health }, command, args) {
  const given = optionsOf(args, NEEDED, ['phi-involved', 'limit']);
  const query = { since: given.since, until: given.until };
  const involved = given['phi-involved'];
  if (involved !== undefined) {
    query.phiInvolved = matching('phi-involved', involved, /^(true|false)$/) === 'true';
  }
  if (given.limit !== undefined) {
    const limit = Number(matching('limit', given.limit, /^\d+$/));
    Object.assign(query, command === 'list-events' && { limit });
  }
  try {
    const client = new health.Client({ apiKey: given['api-key'], baseUrl: given['base-url'] });
    const events = command === 'export' ? client.export(query) : client.events(query);
    for await (const page of events.pages()) {
      if (!process.stdout.write(`${page.lines.join('\n')}\n`)) {
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
