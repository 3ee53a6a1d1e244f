/** Tables: the list, the page of one, and the form that makes one. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { write } from '../fixtures/editor.ts';
import { unique } from '../fixtures/names.ts';
import { setTheme } from '../fixtures/picture.ts';
import { Team } from '../fixtures/team.ts';

interface TableView {
  id: string;
  name: string;
  database: string;
}

async function table(team: Team, name: string): Promise<TableView> {
  const { items } = await team.get<{ items: TableView[] }>('tables?limit=500');
  const found = items.find((known) => `${known.database}.${known.name}` === name);
  if (found === undefined) throw new Error(`there is no table ${name}`);
  return found;
}

test('tables: title, databases as filters, search in the address, axe in both themes', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('tables'));
  await expect(page).toHaveTitle('Tables · Millrace');
  const list = page.getByRole('table', { name: 'Tables' });
  await expect(list.getByRole('link', { name: 'logs', exact: true })).toBeVisible();
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "Tables" [level=1]
      - text: /\\d+ tables/
      - button "New database"
      - link "New table"
      - search:
        - searchbox "Name, column, connector, comment"
      - group "Database":
        - button /all \\d+/ [pressed]
        - button /main \\d+/
        - button /millrace \\d+/
      - table "Tables":
        - rowgroup:
          - row "Name Connector Columns Comment Written by Read by Changed"
        - rowgroup:
          - row /main \\d+/
          - row /bids_per_10s kafka 6/
          - row /millrace \\d+/
          - row /logs built in kafka \\d+/
  `);
  await expectAccessible(page);
  await takePictures(page, 'tables');
  await setTheme(page, 'dark');
  await expectAccessible(page);

  const columns = page.getByRole('columnheader', { name: 'Columns' });
  await columns.getByRole('button').click();
  await expect(columns).toHaveAttribute('aria-sort', 'descending');
  await expect(page).toHaveURL(/[?&]sort=columns/);
  const own = list.getByRole('row').filter({ has: page.getByRole('link', { name: /^(bids|nexmark)/ }) });
  // The server puts them in order.
  await expect(async () => {
    const counts = (await own.locator('td:nth-of-type(2)').allInnerTexts()).map(Number);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect(counts.length).toBeGreaterThan(3);
  }).toPass({ timeout: 20_000 });

  await page.getByRole('searchbox').fill('metrics');
  await expect(page).toHaveURL(/[?&]q=metrics/);
  await expect(list.getByRole('link', { name: 'metrics', exact: true })).toBeVisible();
  await expect(list.getByRole('link', { name: 'logs', exact: true })).toBeHidden();
  await page.getByRole('searchbox').fill('no such table anywhere');
  await expect(page.getByRole('heading', { name: 'Nothing matches' })).toBeVisible();
  await page.getByRole('button', { name: 'Clear filter' }).click();
  await expect(list.getByRole('link', { name: 'logs', exact: true })).toBeVisible();
});

test('table: schema, rows, DDL and uses are tabs with addresses', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  const logs = await table(team, 'millrace.logs');
  await page.goto(team.at(`tables/${logs.id}`));
  await expect(page).toHaveTitle('logs · Millrace');
  await expect(page.getByRole('table', { name: 'Columns' }).getByRole('row')).not.toHaveCount(1);
  await expectAccessible(page);
  await takePictures(page, 'table');
  await expect(page.getByRole('link', { name: /^Edit Belongs/ })).toHaveAttribute('aria-disabled', 'true');

  const tabs = page.getByRole('navigation', { name: 'Tables' });
  await tabs.getByRole('link', { name: 'DDL' }).click();
  await expect(page).toHaveURL(/\/ddl$/);
  await expect(page.getByRole('region', { name: 'DDL' })).toContainText('CREATE TABLE');
  await tabs.getByRole('link', { name: 'Sample' }).click();
  await expect(page).toHaveURL(/\/sample$/);
  await expect(page.getByRole('region', { name: 'Newest rows' }).getByRole('table')).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'table-sample');
  await tabs.getByRole('link', { name: /Used by/ }).click();
  await expect(page).toHaveURL(/\/used-by$/);
  // Said once: the facts beside it do not repeat what the tab shows.
  await expect(page.getByRole('region', { name: /^Read by/ })).toHaveCount(1);
  await expectAccessible(page);
  await takePictures(page, 'table-used-by');
});

test('table: Query opens the editor with the statement, beside what stood there, and it runs', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  const bids = (await team.get<{ items: TableView[] }>('tables?limit=500')).items.find((known) => known.name === 'bids');
  await page.goto(team.at('editor'));
  await write(page, 'SELECT 1');
  await expect(page.getByText('kept in this browser')).toBeVisible();
  // The words stand there before as well; nobody leaves as fast as a test does.
  const kept = () => page.evaluate(() => localStorage.getItem('millrace.editor.scratch.demo'));
  await expect.poll(kept).toBe('SELECT 1');

  await page.goto(team.at(`tables/${bids?.id}`));
  await page.getByRole('link', { name: 'Query' }).click();
  await expect(page).toHaveURL(/\/editor$/);
  const text = page.locator('.cm-content');
  await expect(text).toContainText(`SELECT * FROM \`${bids?.database}\`.\`bids\`;`);
  await expect(text).toContainText('SELECT 1;');
  // The caret is in the statement, before its end.
  await expect(text).toBeFocused();
  await page.keyboard.insertText(' WHERE price > 0');
  await expect(text).toContainText('`bids` WHERE price > 0;');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('grid', { name: 'Result rows' }).getByRole('gridcell', { name: '+I' }).first()).toBeVisible({ timeout: 30_000 });
  await page.reload();
  await expect(text).toContainText('WHERE price > 0;');
  await expect(text).not.toContainText('`bids`;');
});

test('table form: the statement grows beside it, errors stand at their field, and the table is there', async ({ signedIn: page, server, complaints }) => {
  complaints.expect(/400/);
  const team = new Team(page, server);
  await page.goto(team.at('tables/new'));
  await expect(page).toHaveTitle('New table · Millrace');
  await expectAccessible(page);
  await page.getByRole('radio', { name: /^Data generator/ }).click();
  await page.getByRole('button', { name: 'Add column' }).click();
  await page.getByRole('textbox', { name: 'Column', exact: true }).fill('city');

  const statement = page.getByRole('region', { name: 'Statement' });
  await expect(statement).toContainText('CREATE TABLE');
  await expect(statement).toContainText('city');
  const name = page.getByRole('textbox', { name: 'Name', exact: true });
  await expect(name).not.toHaveAttribute('aria-invalid', 'true');
  await page.getByRole('button', { name: 'Create table' }).click();
  await expect(name).toHaveAttribute('aria-invalid', 'true');
  await expectAccessible(page);
  await takePictures(page, 'table-form');

  const cities = unique('e2e_cities', '_');
  await name.fill(cities);
  await page.getByRole('button', { name: 'Create table' }).click();
  await expect(page.getByRole('heading', { level: 1, name: cities, exact: true })).toBeVisible();

  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog', { name: `Delete ${cities}?` });
  await expect(dialog).toBeVisible();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(page).toHaveURL(/\/tables$/);
  await expect(page.getByRole('table', { name: 'Tables' }).getByRole('link', { name: 'logs', exact: true })).toBeVisible();
  await expect(page.getByRole('link', { name: cities, exact: true })).toHaveCount(0);
});
