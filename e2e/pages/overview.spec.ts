/** The overview: counters that lead to lists, lag, events; and what the shell around it offers. */
import { expect, expectAccessible, Server, signIn, takePictures, test } from '../fixtures/app.ts';
import { setTheme } from '../fixtures/picture.ts';
import { Team } from '../fixtures/team.ts';

test('overview: title, address, key figures, axe in both themes', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('overview'));
  await expect(page).toHaveTitle('Overview · Millrace');
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  const figures = page.getByRole('region', { name: 'Key figures' });
  await expect(figures.getByRole('link', { name: /running/ })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Bids by channel', exact: true }).first()).toBeVisible();
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "Overview" [level=1]
      - text: /\\d+ jobs, \\d+ tables/
      - link "New job"
      - region "Key figures":
        - link /running \\d+/
        - link /recovering \\d+/
        - link /failed \\d+/
        - link /stopped \\d+/
      - region /Lag \\d+/:
        - heading /Lag \\d+/ [level=2]
        - link "All jobs"
        - table "Lag":
          - rowgroup:
            - row "Job State Lag Records behind In, records/s Trend"
      - region "Recent events":
        - heading "Recent events" [level=2]
        - list
  `);
  await expectAccessible(page);
  await takePictures(page, 'overview');
  await setTheme(page, 'dark');
  await expectAccessible(page);
});

test('overview: a counter leads to the list it counts', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('overview'));
  await page.getByRole('region', { name: 'Key figures' }).getByRole('link', { name: /running/ }).click();
  await expect(page).toHaveURL(/\/jobs\?state=running$/);
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
});

test('shell: the palette opens by key, finds a table by the server, and goes there', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('overview'));
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  await page.keyboard.press('Control+k');
  const field = page.getByRole('combobox', { name: 'Search pages, objects and actions' });
  await expect(field).toBeFocused();
  await field.fill('millrace.logs');
  const hit = page.getByRole('option', { name: /millrace\.logs/ }).first();
  await expect(hit).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'palette');
  await expect(hit).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'logs', exact: true })).toBeVisible();
});

test('shell: ? shows the keys, Esc closes them, g t goes to the tables', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('overview'));
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(sheet).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await expect(page).toHaveURL(/\/tables$/);
  await expect(page.getByRole('searchbox')).toBeVisible();
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
});

test('shell: a lost connection is told, what is on screen stays, and it comes back by itself', async ({ page, complaints }) => {
  complaints.expect(/ERR_|Failed to load|net::/);
  test.setTimeout(240_000);
  const own = await Server.start();
  try {
    await signIn(page, own);
    await page.goto(`${own.url}/t/demo/tables`);
    await expect(page.getByText('live', { exact: true })).toBeVisible({ timeout: 30_000 });
    const row = page.getByRole('table', { name: 'Tables' }).getByRole('link', { name: 'logs', exact: true });
    await expect(row).toBeVisible({ timeout: 30_000 });
    // Another page that could not load its content in the first place.
    const unlucky = await page.context().newPage();
    await unlucky.route('**/api/v1/functions*', (route) => route.abort());
    await unlucky.goto(`${own.url}/t/demo/functions/built-in`);
    await expect(unlucky.getByRole('heading', { name: 'This could not be loaded' })).toBeVisible();
    await expect(unlucky.getByText('live', { exact: true })).toBeVisible({ timeout: 30_000 });
    await unlucky.unroute('**/api/v1/functions*');

    await own.kill();
    await expect(page.getByRole('alert')).toContainText('No connection to the server', { timeout: 20_000 });
    await expect(row).toBeVisible();
    await own.launch();
    await expect(page.getByText('live', { exact: true })).toBeVisible({ timeout: 30_000 });
    await expect(page.getByRole('alert')).toBeHidden();
    await expect(row).toBeVisible();
    await expect(unlucky.getByRole('table', { name: 'Built in' })).toBeVisible({ timeout: 30_000 });
    await unlucky.close();
  } finally {
    await own.stop();
  }
});

test('shell: the choice of theme and density is kept', async ({ signedIn: page }) => {
  await page.goto('/settings');
  await page.getByRole('group', { name: 'Theme' }).getByRole('button', { name: 'Dark' }).click();
  await page.getByRole('group', { name: 'Density' }).getByRole('button', { name: 'Compact' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.locator('html')).toHaveAttribute('data-density', 'compact');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.locator('html')).toHaveAttribute('data-density', 'compact');
});
