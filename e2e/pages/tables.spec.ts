/** Tables: the list, the page of one, and the form that makes one. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
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
  await expectAccessible(page);
  await takePictures(page, 'tables');
  await setTheme(page, 'dark');
  await expectAccessible(page);

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
  await expectAccessible(page);
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

  await name.fill('e2e_cities');
  await page.getByRole('button', { name: 'Create table' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'e2e_cities' })).toBeVisible();

  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete e2e_cities?' });
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(page).toHaveURL(/\/tables$/);
});
