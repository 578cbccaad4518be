// Headless Chromium: Debian's, or the one that VELORA_CHROMIUM names.

import { chromium } from 'playwright-core';

const PATIENCE = { timeout: 300_000 };

/** An empty page that ends with the test. */
export async function browser(context) {
  const program = await chromium.launch({
    executablePath: process.env.VELORA_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
    ...PATIENCE,
  });
  context.after(() => program.close());
  const page = await program.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  return page;
}
