/** Schema versions of a table, a change that would break a job, and tables from a script. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { unique } from '../fixtures/names.ts';
import { Team } from '../fixtures/team.ts';

interface TableView {
  id: string;
  revision: number;
}

function draft(name: string, columns: [string, string][]) {
  return {
    database: 'main',
    name,
    comment: '',
    connector: 'datagen',
    options: {},
    columns: columns.map(([column, type]) => ({ name: column, data_type: type, kind: 'physical', nullable: true })),
  };
}

test('table: two schema versions are compared, owner and tags are changed', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const name = unique('versions', '_');
  const table = await team.post<TableView>('tables', draft(name, [['id', 'BIGINT']]));
  await page.goto(team.at(`tables/${table.id}/edit`));
  await page.getByRole('button', { name: 'Add column' }).click();
  await page.getByRole('textbox', { name: 'Column', exact: true }).last().fill('city');
  await page.getByRole('textbox', { name: /^What changed/ }).fill('cities');
  await page.getByRole('button', { name: 'Save table' }).click();
  // Of the table, not of the form that edits it.
  await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`/tables/${table.id}$`));

  await page.getByRole('navigation', { name: 'Tables' }).getByRole('link', { name: /Schema versions/ }).click();
  await expect(page).toHaveURL(/\/versions$/);
  const versions = page.getByRole('table', { name: 'Schema versions' });
  await expect(versions.getByRole('row').filter({ hasText: 'cities' })).toBeVisible();
  const changes = page.getByRole('table', { name: 'Changes' });
  await expect(changes.getByRole('row').filter({ hasText: 'city' })).toContainText('column added');
  await expect(page.getByText('Rows written with either can be read with the other.')).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'table-versions');
  await page.getByRole('combobox', { name: 'From' }).selectOption('2');
  await expect(page).toHaveURL(/[?&]from=2/);
  await expect(page.getByText('Nothing differs.')).toBeVisible();

  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Change owner and tags' }).click();
  const dialog = page.getByRole('dialog', { name: 'Owner and tags' });
  await dialog.getByRole('textbox', { name: /^Owner/ }).fill('Data office');
  await dialog.getByRole('textbox', { name: /^Tags/ }).fill('gold, eu');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('complementary', { name: 'Facts' })).toContainText('Data office');
  await page.goto(team.at(`tables?tag=gold&q=${name}`));
  await expect(page.getByRole('table', { name: 'Tables' }).getByRole('link', { name })).toBeVisible();
});

test('table form: a change that breaks a job names it and is saved only when confirmed', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const name = unique('breaking', '_');
  const table = await team.post<TableView>('tables', draft(name, [['id', 'BIGINT'], ['amount', 'DOUBLE']]));
  const sql = `CREATE TEMPORARY TABLE nowhere (amount DOUBLE) WITH ('connector' = 'blackhole');\nINSERT INTO nowhere SELECT amount FROM ${name};`;
  const job = await team.post<{ id: string }>('jobs', { name: `Reads ${name}`, sql });
  await team.post(`jobs/${job.id}/versions`, {});

  await page.goto(team.at(`tables/${table.id}/edit`));
  await page.getByRole('button', { name: 'Remove column amount' }).click();
  await page.getByRole('button', { name: 'Save table' }).click();
  const dialog = page.getByRole('dialog', { name: 'This change breaks something' });
  await expect(dialog.getByRole('link', { name: `Reads ${name}`, exact: true })).toBeVisible();
  await expect(dialog).toContainText('because of amount');
  await expectAccessible(page);
  await takePictures(page, 'table-breaking');
  await dialog.getByRole('button', { name: 'Back to the form' }).click();
  await expect(dialog).toBeHidden();
  expect((await team.get<TableView>(`tables/${table.id}`)).revision).toBe(1);

  // By the keyboard alone.
  const save = page.getByRole('button', { name: 'Save table' });
  await save.focus();
  await expect(save).toBeFocused();
  await page.keyboard.press('Enter');
  const anyway = dialog.getByRole('button', { name: 'Save and break them' });
  await anyway.focus();
  await expect(anyway).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`/tables/${table.id}$`));
  expect((await team.get<TableView>(`tables/${table.id}`)).revision).toBe(2);
});

test('tables: a script is checked, what is refused is told, and the rest is taken over as a whole', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const name = unique('brought', '_');
  await page.goto(team.at('tables'));
  await page.getByRole('link', { name: 'Import' }).click();
  await expect(page).toHaveTitle('Import tables · Millrace');
  const script = page.getByRole('textbox', { name: /^Script/ });
  const good = `CREATE TABLE ${name} (id BIGINT, WATERMARK FOR at AS at, at AS CURRENT_TIMESTAMP) WITH ('connector' = 'nothing');`;
  await script.fill(good);
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  const result = page.getByRole('table', { name: 'What would happen' });
  await expect(result).toContainText('refused');
  await expect(page.getByRole('button', { name: /^Take over/ })).toHaveAttribute('aria-disabled', 'true');
  await expectAccessible(page);
  await script.fill(`CREATE TABLE ${name} (id BIGINT COMMENT 'unique') COMMENT 'brought in' WITH ('connector' = 'datagen');`);
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await expect(result).toContainText('new');
  await takePictures(page, 'table-import');
  await page.getByRole('button', { name: /^Take over/ }).click();
  await expect(page).toHaveURL(/\/tables$/);
  await page.goto(team.at(`tables?q=${name}`));
  await expect(page.getByRole('table', { name: 'Tables' }).getByRole('link', { name })).toBeVisible();

  await page.getByRole('button', { name: 'Export' }).click();
  const exported = page.getByRole('dialog', { name: 'Tables as a script' });
  await expect(exported.getByRole('region', { name: 'Script' })).toContainText(name);
  await expectAccessible(page);
});
