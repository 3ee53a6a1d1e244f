/** From the first byte asked for to a console that can be used, with nothing in the browser's cache. */
import { expect, test } from '../fixtures/app.ts';
import { spread, tell } from './figures.ts';

const ROUNDS = 10;

test('cold console', async ({ browser, complaints, server }) => {
  complaints.expect(/401 .*\/api\/v1\/session\)/);
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const started = performance.now();
    await page.goto(server.url, { waitUntil: 'commit' });
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    took.push(performance.now() - started);
    await context.close();
  }
  tell('console usable, cold', spread(took));
});
