// Interleaved rounds, so that a noisy machine slows all contenders alike.

/** The median. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Nanoseconds a call, of each task in every round. */
export async function interleave(tasks, rounds, target = 20e6) {
  const taken = Object.fromEntries(Object.keys(tasks).map((name) => [name, []]));
  const times = {};
  for (const [name, task] of Object.entries(tasks)) {
    await run(task, 2000);
    times[name] = Math.max(5, Math.round(target / (await run(task, 200))));
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, task] of Object.entries(tasks)) {
      taken[name].push(await run(task, times[name]));
    }
  }
  return taken;
}

/** The median of the rounds' ratios. */
export function ratio(of, to) {
  return median(of.map((one, at) => one / to[at]));
}

/** What a ratio is to be, and whether it is. */
export function verdict(label, value, target, most = true) {
  const met = most ? value <= target : value >= target;
  return `${label}: ${value.toFixed(3)}, target ${most ? '<=' : '>='} ${target}: ${met ? 'met' : 'MISSED'}`;
}

async function run(task, times) {
  const first = task();
  const begun = process.hrtime.bigint();
  if (first instanceof Promise) {
    await first;
    for (let at = 0; at < times; at += 1) {
      await task();
    }
  } else {
    for (let at = 0; at < times; at += 1) {
      task();
    }
  }
  return Number(process.hrtime.bigint() - begun) / times;
}
