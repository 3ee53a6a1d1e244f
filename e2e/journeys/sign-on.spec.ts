/** Signing in at a provider of OpenID Connect: somebody new, somebody known, and those who are refused. */
import { test as base, type Page } from '@playwright/test';
import { expect, expectAccessible, Server } from '../fixtures/app.ts';
import { CLIENT, SignInProvider } from '../fixtures/provider.ts';
import { freePort } from '../fixtures/server.ts';

const PEOPLE = {
  anna: { email: 'anna@example.org', email_verified: true, name: 'Anna Berg' },
  eve: { email: 'anna@example.org', email_verified: false, name: 'Not Anna' },
};

const test = base.extend<object, { server: Server }>({
  server: [
    async ({}, use) => {
      const [port, providerPort] = [await freePort(), await freePort()];
      const url = `http://127.0.0.1:${port}`;
      const provider = await SignInProvider.start(providerPort, `${url}/api/v1/session/sign-on/back`, PEOPLE);
      const server = await Server.start(
        {
          MILLRACE_OIDC_ISSUER: provider.issuer,
          MILLRACE_OIDC_CLIENT_ID: CLIENT.id,
          MILLRACE_OIDC_CLIENT_SECRET: CLIENT.secret,
          MILLRACE_OIDC_NAME: 'Example login',
        },
        port,
      );
      await use(server);
      await server.stop();
      await provider.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  baseURL: async ({ server }, use) => {
    await use(server.url);
  },
});

/** On the provider's own pages. */
async function signInThere(page: Page, login: string): Promise<void> {
  await page.getByPlaceholder('Enter any login').fill(login);
  await page.getByPlaceholder('and password').fill('x');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

test('somebody new gets an account, and is the same person the next time', async ({ page }) => {
  await page.goto('/settings');
  await expect(page).toHaveURL(/\/sign-in\?next=%2Fsettings$/);
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Continue with Example login' }).click();
  await signInThere(page, 'anna');
  await expect(page).toHaveURL(/\/settings$/);
  const first = await session(page);
  expect(first.user).toMatchObject({ name: 'Anna Berg', email: 'anna@example.org', administrator: false });
  expect(first.teams).toEqual([]);

  await page.context().clearCookies({ name: 'millrace' });
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'Continue with Example login' }).click();
  // The provider remembers them.
  await expect(page).toHaveURL(/\/settings$/);
  expect((await session(page)).user.id).toBe(first.user.id);
});

test('an address that the provider has not verified opens nobody’s account', async ({ page }) => {
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'Continue with Example login' }).click();
  await signInThere(page, 'eve');
  await expect(page).toHaveURL(/\/sign-in\?refused=no_email$/);
  await expect(page.getByText('no verified e-mail address')).toBeVisible();
  await expectAccessible(page);
});

test('a way back that another browser began leads nowhere', async ({ page, request }) => {
  // Begun by a client without a page: its cookie is not in the browser that comes back.
  const begun = await request.get('/api/v1/session/sign-on', { maxRedirects: 0 });
  expect(begun.status()).toBe(303);
  const state = new URL(begun.headers()['location'] ?? '').searchParams.get('state') ?? '';
  expect(state.length).toBeGreaterThan(10);
  await page.goto(`/api/v1/session/sign-on/back?code=made-up&state=${encodeURIComponent(state)}`);
  await expect(page).toHaveURL(/\/sign-in\?refused=expired$/);
  await expect(page.getByText('It was not begun in this browser')).toBeVisible();
});

interface SessionView {
  user: { id: string; name: string; email: string; administrator: boolean };
  teams: unknown[];
}

async function session(page: Page): Promise<SessionView> {
  const answer = await page.request.get('/api/v1/session');
  expect(answer.ok()).toBe(true);
  return (await answer.json()) as SessionView;
}
