/** The metadata center by keyboard alone: a connection and a table by form, found by search, changed, compared. */
import { expect, expectAccessible, test } from '../fixtures/app.ts';
import { expectFocusKept, press, tabTo, type } from '../fixtures/keys.ts';
import { unique } from '../fixtures/names.ts';

test('metadata by keys: a connection is made, found, changed and deleted', async ({ complaints, page, ownTeam: team }) => {
  // A connection without a name is refused; nothing listens where it leads.
  complaints.expect(/4\d\d/);
  complaints.expect(/50\d/);
  const name = unique('by_keys', '_');
  await page.goto(team.at('overview'));
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await expect(page.getByRole('heading', { level: 1, name: 'Connections' })).toBeVisible();
  await press(page, page.getByRole('link', { name: 'New connection' }).first());

  // What is wrong is told at its field, which gets the focus; the message goes with the first letter.
  const field = page.getByRole('textbox', { name: 'Name', exact: true });
  await expect(field).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toBeFocused();
  await page.keyboard.type(name);
  await expect(field).not.toHaveAttribute('aria-invalid', 'true');
  await type(page, page.getByRole('textbox', { name: 'Broker addresses' }), '127.0.0.1:1');
  await expectAccessible(page);
  await press(page, page.getByRole('button', { name: 'Create connection' }));
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();

  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await expect(page.getByRole('heading', { level: 1, name: 'Connections' })).toBeVisible();
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type(name);
  await expect(page.getByRole('table', { name: 'Connections' }).getByRole('row')).toHaveCount(2);
  await press(page, page.getByRole('table', { name: 'Connections' }).getByRole('link', { name, exact: true }));
  await expect(page).toHaveURL(/\/connections\/[0-9a-f-]{36}/);
  await press(page, page.getByRole('navigation', { name: 'Connections' }).getByRole('link', { name: 'Properties' }));
  await expect(page).toHaveURL(/\/properties$/);
  await expectAccessible(page);
  await press(page, page.getByRole('button', { name: 'More actions' }));
  const remove = page.getByRole('menuitem', { name: 'Delete' });
  await expect(remove).toBeFocused();
  // Escape closes the menu, and gives the focus back to where it came from.
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'More actions' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(remove).toBeFocused();
  await page.keyboard.press('Enter');
  const sure = page.getByRole('dialog', { name: `Delete ${name}?` });
  await press(page, sure.getByRole('button', { name: 'Delete' }));
  await expect(page).toHaveURL(/\/connections$/);
  await expectFocusKept(page);
  expect((await team.get<{ items: { name: string }[] }>('connections')).items.map((known) => known.name)).not.toContain(name);
});

test('metadata by keys: a table is made, found, given a column, and its versions are compared', async ({ page, ownTeam: team }) => {
  const name = unique('by_keys', '_');
  await page.goto(team.at('tables'));
  await expect(page.getByRole('heading', { level: 1, name: 'Tables' })).toBeVisible();
  await press(page, page.getByRole('link', { name: 'New table' }).first());
  const connectors = page.getByRole('radiogroup');
  await tabTo(page, connectors.getByRole('radio').first());
  const wanted = connectors.getByRole('radio', { name: /^Data generator/ });
  for (let step = 0; step < 12 && (await wanted.getAttribute('aria-checked')) !== 'true'; step += 1) {
    await page.keyboard.press('ArrowDown');
  }
  await expect(wanted).toBeFocused();
  await press(page, page.getByRole('button', { name: 'Add column' }));
  await type(page, page.getByRole('textbox', { name: 'Column', exact: true }), 'id');
  await type(page, page.getByRole('combobox', { name: 'Type', exact: true }), 'BIGINT');
  await type(page, page.getByRole('textbox', { name: 'Name', exact: true }), name);
  await expectAccessible(page);
  await press(page, page.getByRole('button', { name: 'Create table' }));
  await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();

  // Found again, by the palette and by the search of the list.
  await page.keyboard.press('Control+k');
  await page.keyboard.type(name);
  const option = page.getByRole('dialog').getByRole('option', { name: new RegExp(name) }).first();
  await expect(option).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(option).toHaveCount(0);
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await expect(page.getByRole('heading', { level: 1, name: 'Tables' })).toBeVisible();
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  // The server is asked once typing rests, not for each letter.
  const asked: string[] = [];
  page.on('request', (request) => {
    if (/\/tables\?.*q=/.test(request.url())) asked.push(request.url());
  });
  await page.keyboard.type(name);
  await expect(page).toHaveURL(new RegExp(`[?&]q=${name}$`));
  expect(asked.length).toBeLessThan(name.length / 2);
  await expect(page.getByRole('searchbox')).toBeFocused();
  await press(page, page.getByRole('table', { name: 'Tables' }).getByRole('link', { name, exact: true }));
  await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();

  await press(page, page.getByRole('link', { name: 'Edit', exact: true }));
  await press(page, page.getByRole('button', { name: 'Add column' }));
  await expectFocusKept(page);
  await type(page, page.getByRole('textbox', { name: 'Column', exact: true }).last(), 'city');
  await type(page, page.getByRole('textbox', { name: /^What changed/ }), 'cities');
  await press(page, page.getByRole('button', { name: 'Save table' }));
  await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();
  await press(page, page.getByRole('navigation', { name: 'Tables' }).getByRole('link', { name: /Schema versions/ }));
  await expect(page).toHaveURL(/\/versions$/);
  await expect(page.getByRole('table', { name: 'Changes' }).getByRole('row').filter({ hasText: 'city' })).toContainText('column added');
  await tabTo(page, page.getByRole('combobox', { name: 'From' }));
  await page.keyboard.press('ArrowUp');
  await expect(page).toHaveURL(/[?&]from=2/);
  await expect(page.getByText('Nothing differs.')).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'From' })).toBeFocused();
  await expectAccessible(page);
});
