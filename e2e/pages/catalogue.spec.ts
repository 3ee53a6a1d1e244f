/** From the catalogue to a granted right: list, find, ask, notice, approve, use in SQL. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import type { Page } from '@playwright/test';
import type { Server } from '../fixtures/server.ts';
import { Team } from '../fixtures/team.ts';

const EMAIL = 'asker@example.org';
const PASSWORD = 'correct horse battery 7';

/** Somebody with a right to nothing: no member of the demo team when the test goes on. */
async function makeOutsider(page: Page, server: Server): Promise<void> {
  const headers = { 'X-Millrace': '1', Origin: server.url };
  const members = `${server.url}/api/v1/teams/demo/members`;
  const data = { email: EMAIL, role: 'viewer', new_user: { name: 'Ada Asker', password: PASSWORD } };
  const made = await page.request.put(members, { data, headers });
  expect(made.ok(), await made.text()).toBe(true);
  const { user } = (await made.json()) as { user: string };
  const removed = await page.request.delete(`${members}/${user}`, { headers });
  expect(removed.ok(), await removed.text()).toBe(true);
}

test('catalogue: listed, asked for, approved', async ({ signedIn: page, server, browser, complaints }) => {
  const team = new Team(page, server);
  await makeOutsider(page, server);
  const { id } = await team.post<{ id: string }>('tables', {
    database: 'main',
    name: 'listed_clicks',
    comment: 'Clicks of the shop',
    connector: 'datagen',
    options: {},
    columns: [{ name: 'page', data_type: 'STRING', kind: 'physical', nullable: true }],
  });
  await page.goto(team.at(`tables/${id}/permissions`));
  await page.getByRole('button', { name: 'List in the catalogue' }).click();
  const listing = page.getByRole('dialog', { name: 'List listed_clicks in the catalogue?' });
  await listing.getByRole('button', { name: 'List in the catalogue' }).click();
  await expect(listing).toBeHidden();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Catalogue' }).click();
  await expect(page).toHaveTitle('Catalogue · Millrace');
  await page.getByRole('searchbox').fill('page');
  await expect(page.getByRole('row', { name: /listed_clicks/ })).toContainText('open to you');
  await expectAccessible(page);
  await takePictures(page, 'catalogue');

  // The other person has no team: asks by the API, as a program would.
  const context = await browser.newContext({ baseURL: server.url });
  const headers = { 'X-Millrace': '1', Origin: server.url };
  const api = `${server.url}/api/v1`;
  const session = await context.request.post(`${api}/session`, { data: { email: EMAIL, password: PASSWORD }, headers });
  expect(session.ok(), await session.text()).toBe(true);
  const asked = await context.request.post(`${api}/catalogue/${id}/requests`, {
    data: { level: 'write', reason: 'A report for the shop' },
    headers,
  });
  expect(asked.ok(), await asked.text()).toBe(true);

  await page.getByRole('button', { name: /^Notices, \d+ unread$/ }).click();
  await page.getByRole('menuitem', { name: /Ada Asker asks for access to main.listed_clicks/ }).click();
  await expect(page).toHaveURL(/\/access\/requests$/);
  await expectAccessible(page);
  await page.getByRole('table', { name: 'To decide' }).getByRole('button', { name: 'Decide' }).click();
  const dialog = page.getByRole('dialog', { name: 'Decide on main.listed_clicks' });
  complaints.expect(/400/);
  await dialog.getByRole('button', { name: 'Decline' }).click();
  await expect(dialog.getByText('Say why it is declined.')).toBeVisible();
  await dialog.getByLabel('Right').selectOption('read');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('heading', { name: 'Nothing to decide' })).toBeVisible();
  await page.getByRole('button', { name: /^Notices, \d+ unread$/ }).click();
  await page.getByRole('menuitem', { name: 'Mark all read' }).click();
  await expect(page.getByRole('button', { name: 'Notices', exact: true })).toBeVisible();

  // The asker sees the table, and nothing else of the team.
  const theirs = await context.newPage();
  await theirs.goto(team.at(`tables/${id}`));
  await expect(theirs.getByRole('heading', { level: 1, name: 'listed_clicks' })).toBeVisible();
  await theirs.goto(team.at('jobs'));
  await expect(theirs.getByRole('heading', { level: 1 })).not.toHaveText('Jobs');
  await context.close();
});
