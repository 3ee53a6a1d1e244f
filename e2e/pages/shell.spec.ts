/** What every page of the console shares: how the files are served, and that nothing leaks out. */
import { expect, expectAccessible, test } from '../fixtures/app.ts';

test('the page forbids inline script and framing', async ({ request }) => {
  const answer = await request.get('/');
  const policy = answer.headers()['content-security-policy'] ?? '';
  const scripts = policy.split(';').find((part) => part.trim().startsWith('script-src')) ?? '';
  expect(scripts).toContain("'self'");
  expect(scripts).not.toContain("'unsafe-inline'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(answer.headers()['x-content-type-options']).toBe('nosniff');
});

test('hashed files may be kept for ever, the page may not', async ({ request }) => {
  const page = await request.get('/');
  expect(page.headers()['cache-control']).toContain('no-cache');
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text())?.[1];
  expect(script).toBeDefined();
  const answer = await request.get(script ?? '/');
  expect(answer.status()).toBe(200);
  expect(answer.headers()['cache-control']).toContain('immutable');
  expect(answer.headers()['content-type']).toContain('javascript');
});

test('a missing file is missing, and a deep link opens the console', async ({ page, request }) => {
  expect((await request.get('/assets/no-such-file.js')).status()).toBe(404);
  const answer = await page.goto('/jobs?state=failed');
  expect(answer?.status()).toBe(200);
});

test('the first page stands an axe audit and asks no other host', async ({ complaints, page, server }) => {
  // The console asks who is signed in, and the answer is: nobody.
  complaints.expect(/401 .*\/api\/v1\/session\)/);
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    const isOurs = request.url().startsWith(server.url);
    if (!isOurs && !request.url().startsWith('data:')) elsewhere.push(request.url());
  });
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expectAccessible(page);
  expect(elsewhere).toEqual([]);
});
