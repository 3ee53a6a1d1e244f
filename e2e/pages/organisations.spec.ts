/** Organisations: made by an administrator, with teams and members of their own; by mouse and by keys. */
import type { APIRequestContext, Browser, BrowserContext, Page } from '@playwright/test';
import { expect, expectAccessible, takePictures, test, type Server } from '../fixtures/app.ts';
import { expectFocusKept, press, type as typeInto } from '../fixtures/keys.ts';
import { unique } from '../fixtures/names.ts';
import { browserOf } from '../fixtures/people.ts';

const PASSWORD = 'correct horse battery 5';

/** A browser in which the administrator of the server is signed in. */
async function desk(administrator: APIRequestContext, browser: Browser, server: Server): Promise<BrowserContext> {
  return await browser.newContext({ baseURL: server.url, storageState: await administrator.storageState() });
}

async function makeOrganisation(page: Page, name: string): Promise<void> {
  await page.goto('/settings');
  await page.getByRole('button', { name: 'New organisation' }).click();
  const dialog = page.getByRole('dialog', { name: 'New organisation' });
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(dialog).toBeHidden();
  await expect(page).toHaveTitle(`${name} · Millrace`);
}

test('organisations: teams and people of one see nothing of another', async ({ administrator, browser, server }) => {
  test.setTimeout(120_000);
  const name = unique('North');
  const context = await desk(administrator, browser, server);
  const page = await context.newPage();
  await makeOrganisation(page, name);
  await expect(page.getByRole('heading', { name: 'No team yet' })).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'organisation-new');

  await page.getByRole('button', { name: 'New team' }).click();
  const teamDialog = page.getByRole('dialog', { name: 'New team' });
  await teamDialog.getByLabel('Name', { exact: true }).fill(`Sales ${name}`);
  await expect(teamDialog.getByLabel('Organisation')).toHaveValue(new URL(page.url()).pathname.split('/')[2] ?? '');
  await expectAccessible(page);
  await teamDialog.getByRole('button', { name: 'Create' }).click();
  await expect(teamDialog).toBeHidden();
  const teams = page.getByRole('table', { name: 'Teams' });
  await expect(teams.getByRole('link', { name: `Sales ${name}` })).toBeVisible();

  // Teams of two organisations stand apart in the list to switch to.
  await page.getByRole('button', { name: /switch team$/ }).click();
  const menu = page.getByRole('menu', { name: 'switch team' });
  await expect(menu.getByText('Default', { exact: true })).toBeVisible();
  await expect(menu.getByText(name, { exact: true })).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'team-switch-organisations');
  await page.keyboard.press('Escape');

  // An owner of its own, who is new on this server.
  await page.getByRole('link', { name: 'Members' }).click();
  await page.getByRole('button', { name: 'Add member' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add member' });
  const email = `${unique('olga', '-')}@example.org`;
  await dialog.getByLabel('E-mail').fill(email);
  await dialog.getByLabel('Role').selectOption('owner');
  await dialog.getByLabel('This person has no account here yet').check();
  await dialog.getByLabel('Name', { exact: true }).fill('Olga Owner');
  await dialog.getByLabel('First password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Add member' }).click();
  await expect(dialog).toBeHidden();
  const members = page.getByRole('table', { name: 'Members' });
  await expect(members.getByRole('row', { name: /Olga Owner/ })).toContainText('in none');
  await expectAccessible(page);
  await takePictures(page, 'organisation-members');

  // She finds her organisation, its team, and nothing in it until she names herself.
  const theirs = await browserOf({ user: '', name: 'Olga Owner', email }, browser, server);
  const hers = await theirs.newPage();
  await hers.goto('/');
  await expect(hers).toHaveURL(/\/settings$/);
  const panel = hers.getByRole('region', { name: 'Organisations' });
  await expect(panel.getByText(name, { exact: true })).toBeVisible();
  await expect(panel.getByText('Default', { exact: true })).toHaveCount(0);
  await expect(hers.getByRole('button', { name: 'New organisation' })).toHaveCount(0);
  await panel.getByRole('link', { name: '1 team' }).click();
  const seen = hers.getByRole('table', { name: 'Teams' });
  await expect(seen.getByRole('row', { name: new RegExp(`Sales ${name}`) })).toContainText('Adam Administrator');
  await expect(seen.getByRole('link')).toHaveCount(0);
  await hers.getByRole('button', { name: `Name an owner of Sales ${name}` }).click();
  const owner = hers.getByRole('dialog', { name: `Name an owner of Sales ${name}` });
  await expect(owner.getByLabel('E-mail')).toHaveValue(email);
  await expectAccessible(hers);
  await owner.getByRole('button', { name: 'Name an owner' }).click();
  await expect(owner).toBeHidden();
  await seen.getByRole('link', { name: `Sales ${name}` }).click();
  await expect(hers.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(hers).toHaveURL(/\/overview$/);
  await theirs.close();

  // The administrator takes her out again: everything of it is gone for her.
  await page.reload();
  await members.getByRole('button', { name: 'Remove Olga Owner' }).click();
  const removal = page.getByRole('dialog', { name: 'Remove Olga Owner from the organisation?' });
  await removal.getByRole('button', { name: 'Remove' }).click();
  await expect(removal).toBeHidden();
  await expect(members.getByRole('row', { name: /Olga Owner/ })).toHaveCount(0);
  await context.close();
});

test('organisations by keys: made, renamed, deleted', async ({ administrator, browser, server }) => {
  const context = await desk(administrator, browser, server);
  const page = await context.newPage();
  const name = unique('South');
  await page.goto('/settings');
  await press(page, page.getByRole('button', { name: 'New organisation' }));
  const dialog = page.getByRole('dialog', { name: 'New organisation' });
  await typeInto(page, dialog.getByLabel('Name', { exact: true }), name);
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(page).toHaveTitle(`${name} · Millrace`);
  await expectFocusKept(page);
  await press(page, page.getByRole('button', { name: 'Rename' }));
  const renaming = page.getByRole('dialog', { name: 'Rename' });
  const field = renaming.getByLabel('Name', { exact: true });
  await expect(field).toBeFocused();
  await page.keyboard.press('Control+A');
  await page.keyboard.type(`${name} and east`);
  await page.keyboard.press('Enter');
  await expect(renaming).toBeHidden();
  await expect(page.getByRole('heading', { level: 1, name: `${name} and east` })).toBeVisible();
  await expectFocusKept(page);
  await press(page, page.getByRole('button', { name: 'Delete' }));
  const deletion = page.getByRole('dialog', { name: `Delete ${name} and east?` });
  await press(page, deletion.getByRole('button', { name: 'Delete' }));
  await expect(page).toHaveURL(/\/settings$/);
  await expect(page.getByText(`${name} and east`, { exact: true })).toHaveCount(0);
  await context.close();
});
