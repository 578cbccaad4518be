// Checks a delivery in the page: shows the verdict, its code, and what was signed. Serve it as a
// bundle next to page.html: `npx esbuild page.mjs --bundle --format=esm --outfile=public/page.mjs`.

import { VeloraError, Verifier } from 'velora-wasm';

const form = document.querySelector('form');
const output = document.querySelector('output');

// A text area changes line ends, so the pasted text is kept as it was.
let pasted = '';
form.elements.body.addEventListener('paste', ({ clipboardData }) => {
  pasted = clipboardData.getData('text');
});

/** The body as it was pasted; none if it had other line ends and was edited since. */
function received(shown) {
  if (pasted.replace(/\r\n?/g, '\n') === shown) {
    return pasted;
  }
  return pasted.includes('\r') && shown.includes('\n') ? undefined : shown;
}

form.addEventListener('submit', (submitted) => {
  submitted.preventDefault();
  const { scheme, secret, headers, body, old } = form.elements;
  try {
    const verifier = new Verifier(scheme.value, secret.value, { dangerousNoTolerance: old.checked });
    const raw = received(body.value);
    if (raw === undefined) {
      show('', ['Paste the body once more: its line ends were lost when it was edited.']);
      return;
    }
    const delivery = verifier.verify(raw, pairs(headers.value));
    show('genuine', [`Genuine: signed with this secret.`, ...said(delivery),
      `Signed at: ${delivery.signedTimestamp?.toISOString() ?? 'the time is not signed'}`,
      `Under the signature: ${delivery.signedTimestamp === null ? 'the body' : 'the time and the body'}, ${delivery.body.length} bytes of body`]);
  } catch (error) {
    const code = error instanceof VeloraError ? error.code : 'internal';
    show('refused', [`Refused: ${code}`, error.message]);
  }
});

/** Describes the event; a genuine body need not be an event of the system. */
function said(delivery) {
  try {
    return [`Key: ${delivery.key}`, `Type: ${delivery.eventType ?? 'none'}`];
  } catch (error) {
    return [`No event of the system: ${error.code}`, error.message];
  }
}

function pairs(text) {
  const lines = text.split('\n').filter((line) => line.includes(':'));
  return lines.map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]);
}

function show(verdict, lines) {
  output.dataset.verdict = verdict;
  output.textContent = lines.join('\n');
}
