/** The smaller pages: access, settings, primitives, and an address that leads nowhere. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { unique } from '../fixtures/names.ts';
import { setTheme } from '../fixtures/picture.ts';
import { Team } from '../fixtures/team.ts';

test('access: members with roles, and a token that is shown once', async ({ page, ownTeam: team }) => {
  await page.goto(team.at('access'));
  await expect(page).toHaveTitle('Access · Millrace');
  await expect(page.getByRole('row', { name: /otto-.*@example\.org/ })).toBeVisible();
  // The last owner stays one.
  await expect(page.getByRole('combobox', { name: 'Role of Otto Owner', exact: true })).toBeDisabled();
  await expectAccessible(page);
  await takePictures(page, 'access');
  await page.getByRole('button', { name: 'Add member' }).click();
  await expect(page.getByRole('dialog', { name: 'Add member' })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();

  await page.getByRole('navigation', { name: 'Access' }).getByRole('link', { name: 'API tokens' }).click();
  await expect(page).toHaveURL(/\/access\/tokens$/);
  await expect(page.getByRole('heading', { name: 'No API token yet' })).toBeVisible();
  await page.getByRole('button', { name: 'New token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('browser test');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('dialog', { name: 'Copy the token now' })).toBeVisible();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByRole('row', { name: /browser test/ })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'No API token yet' })).toBeHidden();
  await page.getByRole('button', { name: 'Revoke browser test' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('heading', { name: 'No API token yet' })).toBeVisible();
});

test('access: a token with a scope', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('access/tokens'));
  const name = unique('reads only');
  await page.getByRole('button', { name: 'New token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
  await dialog.getByRole('combobox', { name: 'May at most' }).selectOption('viewer');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click();
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  await expect(row).toContainText('viewer');
  await page.getByRole('button', { name: `Revoke ${name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(row).toHaveCount(0);
});

test('access: the audit trail is read, filtered, saved and checked', async ({ page, ownTeam: team }) => {
  await team.post('databases', { name: 'audited', description: '' });
  await page.goto(team.at('access/audit'));
  await expect(page).toHaveTitle('Access · Millrace');
  const made = page.getByRole('row', { name: /Make a database/ });
  await expect(made).toHaveCount(1);
  await expectAccessible(page);
  await takePictures(page, 'audit');

  await made.getByRole('button', { name: /^Open entry/ }).press('Enter');
  const entry = page.getByRole('dialog', { name: 'Make a database.' });
  await expect(entry).toContainText('"name": "audited"');
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(entry).toBeHidden();

  await page.getByRole('button', { name: 'Refused', exact: true }).click();
  await expect(page).toHaveURL(/outcome=refused/);
  await expect(made).toHaveCount(0);
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await expect(page).not.toHaveURL(/outcome=/);
  await expect(made).toHaveCount(1);
  await page.getByRole('searchbox').fill('databases');
  await expect(page).toHaveURL(/q=databases/);
  await expect(made).toHaveCount(1);

  await page.getByRole('button', { name: 'Check the trail' }).click();
  await expect(page.getByText(/^Unbroken over/)).toBeVisible();
  await page.getByRole('button', { name: 'Export' }).click();
  const saving = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'As CSV' }).click();
  expect((await saving).suggestedFilename()).toBe(`audit-${team.slug}.csv`);
});

test('settings and primitives stand an axe audit in both themes', async ({ signedIn: page }) => {
  for (const [path, title] of [
    ['/settings', 'Settings'],
    ['/primitives', 'Primitives'],
  ] as const) {
    await page.goto(path);
    await expect(page).toHaveTitle(`${title} · Millrace`);
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
    await expectAccessible(page);
    await takePictures(page, title.toLowerCase());
    await setTheme(page, 'dark');
    await expectAccessible(page);
  }
});

test('an address that leads nowhere says so and leads back', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('nothing-here'));
  await expect(page.getByRole('heading', { level: 1, name: 'There is nothing at this address' })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Go to the overview' }).click();
  await expect(page).toHaveURL(/\/overview$/);
});
