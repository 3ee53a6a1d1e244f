/** From the catalogue to a granted right: list, find, ask, notice, approve, use in SQL. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { unique } from '../fixtures/names.ts';
import { browserOf, newMember, type Person } from '../fixtures/people.ts';
import type { Team } from '../fixtures/team.ts';

/** Somebody with a right to nothing: no member of the team when the test goes on. */
async function makeOutsider(team: Team, name: string): Promise<Person> {
  const person = await newMember(team, name, 'viewer');
  await team.delete(`members/${person.user}`);
  return person;
}

test('catalogue: listed, asked for, approved', async ({ page, ownTeam: team, server, browser, complaints }) => {
  const asker = await makeOutsider(team, 'Ada Asker');
  // The catalogue is everybody's.
  const name = unique('listed_clicks', '_');
  const { id } = await team.post<{ id: string }>('tables', {
    database: 'main',
    name,
    comment: 'Clicks of the shop',
    connector: 'datagen',
    options: {},
    columns: [{ name: 'page', data_type: 'STRING', kind: 'physical', nullable: true }],
  });
  await page.goto(team.at(`tables/${id}/permissions`));
  await page.getByRole('button', { name: 'List in the catalogue' }).click();
  const listing = page.getByRole('dialog', { name: `List ${name} in the catalogue?` });
  await listing.getByRole('button', { name: 'List in the catalogue' }).click();
  await expect(listing).toBeHidden();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Catalogue' }).click();
  await expect(page).toHaveTitle('Catalogue · Millrace');
  await page.getByRole('searchbox').fill('page');
  await expect(page).toHaveURL(/[?&]q=page/);
  await expect(page.getByRole('row').filter({ hasText: name })).toContainText('open to you');
  await expectAccessible(page);
  await takePictures(page, 'catalogue');

  // The other person has no team: asks by the API, as a program would.
  const context = await browserOf(asker, browser, server);
  const headers = { 'X-Millrace': '1', Origin: server.url };
  const asked = await context.request.post(`${server.url}/api/v1/catalogue/${id}/requests`, {
    data: { level: 'write', reason: 'A report for the shop' },
    headers,
  });
  expect(asked.ok(), await asked.text()).toBe(true);

  await page.getByRole('button', { name: /^Notices, \d+ unread$/ }).click();
  await page.getByRole('menuitem', { name: new RegExp(`Ada Asker asks for access to main\\.${name}`) }).click();
  await expect(page).toHaveURL(/\/access\/requests$/);
  await expectAccessible(page);
  await page.getByRole('table', { name: 'To decide' }).getByRole('button', { name: 'Decide' }).click();
  const dialog = page.getByRole('dialog', { name: `Decide on main.${name}` });
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
  await expect(theirs.getByRole('heading', { level: 1, name })).toBeVisible();
  await theirs.goto(team.at('jobs'));
  await expect(theirs.getByRole('heading', { level: 1 })).not.toHaveText('Jobs');
  await context.close();
});
