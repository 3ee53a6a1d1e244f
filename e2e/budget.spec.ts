/** How long a person waits for the console on a cold start. Sizes are checked by `cargo xtask web`. */
import type { Browser } from '@playwright/test';
import { Complaints } from './fixtures/console.ts';
import { expect, test } from './fixtures/app.ts';

/** CONSOLE budgets on localhost: aim 800 ms, fail at 1,500 ms. */
const USABLE_WITHIN_MS = 1_500;
/** The quickest counts: what else the machine does can make the console slower, never quicker. */
const ROUNDS = 5;

test('the console is usable within its budget on a cold cache', async ({ browser, server }) => {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    took.push(await coldStart(browser, server.url));
    if (Math.min(...took) < USABLE_WITHIN_MS) break;
  }
  test.info().annotations.push({ type: 'usable after', description: `${took.join(' ms, ')} ms` });
  expect(Math.min(...took)).toBeLessThan(USABLE_WITHIN_MS);
});

/** With nothing in the browser's cache, in milliseconds. */
async function coldStart(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints = new Complaints(page);
  // The console asks who is signed in, and the answer is: nobody.
  complaints.expect(/401 .*\/api\/v1\/session\)/);
  const started = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  const took = Math.round(performance.now() - started);
  await context.close();
  expect(complaints.unexpected(), 'complaints of the browser').toEqual([]);
  return took;
}
