// What a command was given.

import { parseArgs } from 'node:util';

/** The options that are needed, and those that are not; all else throws `invalid_option`. */
export function optionsOf(VeloraError, args, needed, others) {
  const options = Object.fromEntries([...needed, ...others].map((name) => [name, { type: 'string' }]));
  const given = parsed(VeloraError, { args, options });
  const missing = needed.find((name) => given[name] === undefined);
  if (missing !== undefined) {
    throw new VeloraError('invalid_option', `--${missing} is missing`);
  }
  return given;
}

function parsed(VeloraError, asked) {
  try {
    return parseArgs(asked).values;
  } catch (error) {
    throw new VeloraError('invalid_option', error.message);
  }
}
