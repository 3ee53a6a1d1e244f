/** The smaller pages: access, settings, primitives, and an address that leads nowhere. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { setTheme } from '../fixtures/picture.ts';
import { Team } from '../fixtures/team.ts';

test('access: members with roles, and a token that is shown once', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('access'));
  await expect(page).toHaveTitle('Access · Millrace');
  await expect(page.getByRole('row', { name: /demo@/ })).toBeVisible();
  await expect(page.getByRole('combobox', { name: /^Role of/ })).toBeDisabled();
  await expectAccessible(page);
  await takePictures(page, 'access');
  await page.getByRole('button', { name: 'Add member' }).click();
  await expect(page.getByRole('dialog', { name: 'Add member' })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('Escape');

  await page.getByRole('navigation', { name: 'Access' }).getByRole('link', { name: 'API tokens' }).click();
  await expect(page).toHaveURL(/\/access\/tokens$/);
  await page.getByRole('button', { name: 'New token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('browser test');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('dialog', { name: 'Copy the token now' })).toBeVisible();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByRole('row', { name: /browser test/ })).toBeVisible();
  await page.getByRole('button', { name: 'Revoke browser test' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('heading', { name: 'No API token yet' })).toBeVisible();
});

test('access: a token with a scope', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('access/tokens'));
  await page.getByRole('button', { name: 'New token' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('reads only');
  await dialog.getByRole('combobox', { name: 'May at most' }).selectOption('viewer');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByRole('row', { name: /reads only.*viewer/ })).toBeVisible();
  await page.getByRole('button', { name: 'Revoke reads only' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('row', { name: /reads only/ })).toHaveCount(0);
});

test('access: the audit trail is read, filtered, saved and checked', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.post('databases', { name: 'audited', description: '' });
  await page.goto(team.at('access/audit'));
  await expect(page).toHaveTitle('Access · Millrace');
  const made = page.getByRole('row', { name: /Make a database/ });
  await expect(made.first()).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'audit');

  await made.first().getByRole('button', { name: /^Open entry/ }).press('Enter');
  const entry = page.getByRole('dialog', { name: 'Make a database.' });
  await expect(entry).toContainText('"name": "audited"');
  await expectAccessible(page);
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Refused', exact: true }).click();
  await expect(page).toHaveURL(/outcome=refused/);
  await expect(made).toHaveCount(0);
  await page.getByRole('button', { name: 'All', exact: true }).click();
  await page.getByRole('searchbox').fill('databases');
  await expect(page).toHaveURL(/q=databases/);
  await expect(made.first()).toBeVisible();

  await page.getByRole('button', { name: 'Check the trail' }).click();
  await expect(page.getByText(/^Unbroken over/)).toBeVisible();
  await page.getByRole('button', { name: 'Export' }).click();
  const saving = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'As CSV' }).click();
  expect((await saving).suggestedFilename()).toBe('audit-demo.csv');
  await team.delete('databases/audited');
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
