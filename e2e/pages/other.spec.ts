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
