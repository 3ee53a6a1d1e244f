/** Teams and access by keyboard alone: a table is listed, asked for and given; a member and a token come and go. */
import { expect, expectAccessible, test } from '../fixtures/app.ts';
import { arrowTo, choose, expectFocusKept, press, tabTo, tick, type } from '../fixtures/keys.ts';
import { unique } from '../fixtures/names.ts';
import { newTeam } from '../fixtures/people.ts';

test('access by keys: listed in the catalogue, asked for by another team, approved', async ({
  administrator,
  browser,
  page,
  ownTeam: team,
  server,
}) => {
  test.setTimeout(180_000);
  const name = unique('wanted', '_');
  const { id } = await team.post<{ id: string }>('tables', {
    database: 'main',
    name,
    comment: 'Wanted by others',
    connector: 'datagen',
    options: {},
    columns: [{ name: 'page', data_type: 'STRING', kind: 'physical', nullable: true }],
  });
  await page.goto(team.at(`tables/${id}/permissions`));
  await press(page, page.getByRole('button', { name: 'List in the catalogue' }));
  const listing = page.getByRole('dialog', { name: `List ${name} in the catalogue?` });
  await press(page, listing.getByRole('button', { name: 'List in the catalogue' }));
  await expect(listing).toBeHidden();
  await expectFocusKept(page);

  // Somebody of another team finds it and asks.
  const context = await browser.newContext({ baseURL: server.url });
  try {
    const theirs = await context.newPage();
    const others = await newTeam(administrator, theirs, server);
    await theirs.goto(others.at('catalogue'));
    await expect(theirs.getByRole('table', { name: 'Catalogue' })).toBeVisible();
    await theirs.keyboard.press('/');
    await expect(theirs.getByRole('searchbox')).toBeFocused();
    await theirs.keyboard.type(name);
    await expect(theirs.getByRole('searchbox')).toBeFocused();
    await expect(theirs.getByRole('table', { name: 'Catalogue' }).getByRole('row')).toHaveCount(2);
    await press(theirs, theirs.getByRole('button', { name: 'Ask for access' }));
    const ask = theirs.getByRole('dialog', { name: `Ask for access to main.${name}` });
    await choose(theirs, ask.getByRole('combobox', { name: 'Right' }), 'write');
    await type(theirs, ask.getByRole('textbox', { name: 'What you need it for' }), 'A report for the shop');
    await expectAccessible(theirs);
    await press(theirs, ask.getByRole('button', { name: 'Ask for access' }));
    await expect(ask).toBeHidden();
    await expect(theirs.getByRole('button', { name: 'Ask for access' })).toBeFocused();
  } finally {
    await context.close();
  }

  // The notice leads to the request, and the request to the decision.
  const bell = page.getByRole('button', { name: /^Notices, \d+ unread$/ });
  await tabTo(page, bell, 'Shift+Tab');
  await page.keyboard.press('Enter');
  const notice = page.getByRole('menuitem', { name: new RegExp(`asks for access to main\\.${name}`) });
  await arrowTo(page, notice);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/access\/requests$/);
  await press(page, page.getByRole('table', { name: 'To decide' }).getByRole('button', { name: 'Decide' }));
  const decide = page.getByRole('dialog', { name: `Decide on main.${name}` });
  await choose(page, decide.getByRole('combobox', { name: 'Right' }), 'read');
  await expectAccessible(page);
  await press(page, decide.getByRole('button', { name: 'Approve' }));
  await expect(decide).toBeHidden();
  await expect(page.getByRole('heading', { name: 'Nothing to decide' })).toBeVisible();
  await expectFocusKept(page);
});

test('access by keys: a member is added, gets another role and goes; a token is made and revoked', async ({ page, ownTeam: team }) => {
  const email = `${unique('mara', '-')}@example.org`;
  await page.goto(team.at('access'));
  await press(page, page.getByRole('button', { name: 'Add member' }));
  const add = page.getByRole('dialog', { name: 'Add member' });
  await expect(add.getByRole('textbox', { name: 'E-mail' })).toBeFocused();
  await page.keyboard.type(email);
  await choose(page, add.getByRole('combobox', { name: 'Role' }), 'operator');
  await tick(page, add.getByRole('checkbox', { name: 'This person has no account here yet' }));
  await type(page, add.getByRole('textbox', { name: 'Name' }), 'Mara Member');
  await type(page, add.getByRole('textbox', { name: 'First password' }), 'a first password 7');
  await expectAccessible(page);
  await page.keyboard.press('Enter');
  await expect(add).toBeHidden();
  await expect(page.getByRole('row', { name: new RegExp(email) })).toBeVisible();
  const role = page.getByRole('combobox', { name: 'Role of Mara Member' });
  await expect(role).toHaveValue('operator');
  await choose(page, role, 'viewer');
  await expect(page.getByText('Mara Member is viewer now')).toBeVisible();
  await expectFocusKept(page);
  await press(page, page.getByRole('button', { name: 'Remove Mara Member' }));
  const sure = page.getByRole('dialog', { name: 'Remove Mara Member from the team?' });
  await press(page, sure.getByRole('button', { name: 'Remove' }));
  await expect(page.getByRole('row', { name: new RegExp(email) })).toHaveCount(0);
  await expectFocusKept(page);

  await press(page, page.getByRole('navigation', { name: 'Access' }).getByRole('link', { name: 'API tokens' }));
  await expect(page).toHaveURL(/\/access\/tokens$/);
  for (const token of ['first', 'second']) {
    await press(page, page.getByRole('button', { name: 'New token' }).first());
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByRole('textbox', { name: 'Name' })).toBeFocused();
    await page.keyboard.type(token);
    await choose(page, dialog.getByRole('combobox', { name: 'May at most' }), 'viewer');
    await press(page, dialog.getByRole('button', { name: 'Create' }));
    await expect(page.getByRole('dialog', { name: 'Copy the token now' })).toBeVisible();
    await press(page, dialog.getByRole('button', { name: 'Done' }));
    await expect(dialog).toBeHidden();
    await expect(page.getByRole('row', { name: new RegExp(`^${token}`) })).toBeVisible();
  }
  // Whoever revokes one goes on at the next.
  const first = page.getByRole('table').getByRole('rowheader').first();
  const [gone, stays] = (await first.innerText()).startsWith('first') ? ['first', 'second'] : ['second', 'first'];
  await press(page, page.getByRole('button', { name: `Revoke ${gone}` }));
  await press(page, page.getByRole('dialog').getByRole('button', { name: 'Revoke' }));
  await expect(page.getByRole('row', { name: new RegExp(`^${gone}`) })).toHaveCount(0);
  await expect(page.getByRole('button', { name: `Revoke ${stays}` })).toBeFocused();
  await expectAccessible(page);
});
