// Objects stay usable when a larger entry is loaded later: prints what became of them.

import { MemoryStore, Receiver, Signer, Verifier } from 'velora-wasm';
import { HEALTH_KEY, SECRET } from '../../velora-node/test/support.mjs';

const signer = new Signer('health', SECRET);
const send = (id) => {
  const { body, headers } = signer.sign(JSON.stringify({ id, type: 'phi.read' }));
  return receiver.receive(body, headers).then(({ outcome }) => outcome, ({ code }) => code);
};

const handled = [];
let goOn;
const store = new MemoryStore();
const receiver = new Receiver({
  verifier: new Verifier('health', SECRET),
  store,
  onEvent: ({ id }) => {
    handled.push(id);
    return id === 'slow' && new Promise((resolve) => { goOn = resolve; });
  },
});

const outcomes = [await send('quick')];
const slow = send('slow');
const { lease } = await store.claim('a');
while (goOn === undefined) {
  await new Promise(setImmediate);
}
const { health } = await import('velora-wasm/client');
new health.Client({ apiKey: HEALTH_KEY, baseUrl: 'http://127.0.0.1:1' });
outcomes.push(await send('slow'), await send('quick'));
goOn();
outcomes.push(await slow, await send('slow'), await send('late'));
await lease.commit();
outcomes.push((await store.claim('a')).state);
console.log(JSON.stringify({ outcomes, handled, keys: store.size }));
