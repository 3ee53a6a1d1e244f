/** SQL by form: written beside the form, checked by the server, changed by hand, put into the editor. */
import type { Locator, Page } from '@playwright/test';
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { write } from '../fixtures/editor.ts';
import { press, tabTo, type } from '../fixtures/keys.ts';
import type { Team } from '../fixtures/team.ts';

type ColumnDraft = [name: string, type: string];

async function makeTable(team: Team, name: string, connector: string, columns: ColumnDraft[], time?: string): Promise<void> {
  await team.post('tables', {
    database: 'main',
    name,
    connector,
    options: connector === 'datagen' ? { 'rows-per-second': '5' } : {},
    columns: columns.map(([column, data_type]) => ({ name: column, data_type, kind: 'physical', nullable: true })),
    event_time: time === undefined ? undefined : { column: time, watermark: `${time} - INTERVAL '1' SECOND` },
  });
}

/** A stream of orders with an event time, people without one, and a table to write. */
async function makeTables(team: Team): Promise<void> {
  await makeTable(
    team,
    'orders',
    'datagen',
    [
      ['id', 'BIGINT'],
      ['shop', 'STRING'],
      ['amount', 'DECIMAL(10, 2)'],
      ['paid', 'BOOLEAN'],
      ['at', 'TIMESTAMP(3)'],
    ],
    'at',
  );
  await makeTable(team, 'people', 'datagen', [['name', 'STRING']]);
  await makeTable(team, 'sums', 'blackhole', [
    ['window_start', 'TIMESTAMP(3)'],
    ['shop', 'STRING'],
    ['orders', 'INT'],
    ['remark', 'STRING'],
  ]);
}

function formOf(page: Page): Locator {
  return page.getByRole('dialog', { name: 'Build SQL by form' });
}

function sqlOf(form: Locator): Locator {
  return form.getByRole('textbox', { name: 'SQL', exact: true });
}

test('form builder: windows into a table, by mouse', async ({ ownTeam: team, page }) => {
  await makeTables(team);
  await page.goto(team.at('editor'));
  await page.getByRole('button', { name: 'Build by form' }).click();
  const form = formOf(page);
  await expect(form.getByText('Choose a table: its SQL appears here.')).toBeVisible();
  await expect(form.getByRole('button', { name: /^Insert in the editor/ })).toHaveAttribute('aria-disabled', 'true');
  await expect(form.getByRole('radio')).not.toHaveCount(0);
  await expectAccessible(page);
  await takePictures(page, 'editor-form-empty');

  const tables = form.getByRole('group', { name: 'Table to read' });
  await tables.getByRole('searchbox').fill('ord');
  await tables.getByRole('radio', { name: /main\.orders/ }).check();
  await expect(sqlOf(form)).toHaveValue(/^SELECT\n {2}id,\n {2}shop,[^]*FROM main\.orders;$/);
  await expect(form.getByText('The SQL has no problems.')).toBeVisible();

  // Another name, and a column less.
  const fields = form.getByRole('table', { name: 'Fields' });
  await fields.getByRole('checkbox', { name: 'paid' }).uncheck();
  await fields.getByRole('textbox', { name: 'shop comes out as' }).fill('order');
  await expect(sqlOf(form)).toHaveValue(/shop AS `order`,/);
  await expect(sqlOf(form)).not.toHaveValue(/paid/);

  await form.getByRole('button', { name: 'Add a filter' }).click();
  const filter = form.getByRole('group', { name: 'Filter 1', exact: true });
  await expect(filter.getByRole('combobox', { name: 'Filter 1: field' })).toBeFocused();
  await filter.getByRole('combobox', { name: 'Filter 1: field' }).selectOption('amount');
  await filter.getByRole('combobox', { name: 'Filter 1: comparison' }).selectOption('BETWEEN');
  await filter.getByRole('textbox', { name: 'Filter 1: value' }).fill('ten');
  await expect(filter.getByText('Fill in a value that fits the field.')).toBeVisible();
  await expect(sqlOf(form)).not.toHaveValue(/WHERE/);
  await filter.getByRole('textbox', { name: 'Filter 1: value' }).fill('10');
  await filter.getByRole('textbox', { name: 'Filter 1: up to' }).fill('20.5');
  await form.getByRole('button', { name: 'Add a filter' }).click();
  const second = form.getByRole('group', { name: 'Filter 2', exact: true });
  await second.getByRole('combobox', { name: 'Filter 2: field' }).selectOption('shop');
  await second.getByRole('textbox', { name: 'Filter 2: value' }).fill("O'Neil");
  await form.getByRole('group', { name: 'Rows meet' }).getByRole('button', { name: 'one of them' }).click();
  await expect(sqlOf(form)).toHaveValue(/WHERE amount BETWEEN 10 AND 20\.5\n {2}OR shop = 'O''Neil'/);
  await expectAccessible(page);
  await takePictures(page, 'editor-form-fields');

  await form.getByRole('group', { name: 'Grouping' }).getByRole('button', { name: 'Windows of time' }).click();
  await form.getByRole('combobox', { name: 'Kind of window' }).selectOption('HOP');
  await form.getByRole('textbox', { name: 'Step', exact: true }).fill('3');
  await expect(form.getByText('The size is a multiple of the step.').first()).toBeVisible();
  await form.getByRole('textbox', { name: 'Step', exact: true }).fill('5');
  await form.getByRole('table', { name: 'Grouped by' }).getByRole('checkbox', { name: 'shop' }).check();
  await form.getByRole('textbox', { name: 'Result 1: comes out as' }).fill('orders');
  await form.getByRole('button', { name: 'Add a condition' }).click();
  await form.getByRole('combobox', { name: 'Condition 1: comparison' }).selectOption('>');
  await form.getByRole('textbox', { name: 'Condition 1: value' }).fill('1');
  await expect(sqlOf(form)).toHaveValue(/HOP\(TABLE main\.orders, DESCRIPTOR\(`at`\), INTERVAL '5' MINUTE, INTERVAL '10' MINUTE\)/);
  await expect(form.getByText('The SQL has no problems.')).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'editor-form-windows');

  await form.getByRole('group', { name: 'Target' }).getByRole('button', { name: 'Write into a table' }).click();
  await form.getByRole('group', { name: 'Table to write' }).getByRole('radio', { name: /main\.sums/ }).check();
  const columns = form.getByRole('table', { name: 'Columns of main.sums' });
  await expect(columns.getByText('BIGINT does not fit INT of orders by itself. Tick Convert.')).toBeVisible();
  await columns.getByRole('checkbox', { name: 'Convert the value for orders' }).check();
  await expect(columns.getByRole('combobox', { name: 'remark gets' })).toHaveValue('');
  await expect(form.getByText('Not written: window_end.')).toBeVisible();
  await expect(sqlOf(form)).toHaveValue(/^INSERT INTO main\.sums \(window_start, shop, orders, remark\)\n/);
  await expect(form.getByText('The SQL has no problems.')).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'editor-form-target');

  await form.getByRole('button', { name: /^Insert in the editor/ }).click();
  await expect(form).toBeHidden();
  await expect(page.locator('.cm-content')).toContainText('CAST(COUNT(*) AS INT) AS orders');
  await expect(page.getByRole('textbox', { name: 'SQL of scratch' })).toBeFocused();
  await expect(page.getByText('No problems found.')).toBeVisible();
});

test('form builder: what is changed by hand stays until the form is used again', async ({ ownTeam: team, page }) => {
  await makeTables(team);
  await page.goto(team.at('editor'));
  await write(page, 'SELECT 1 AS one;');
  await page.getByRole('toolbar', { name: 'Draft actions' }).getByRole('button', { name: 'Library' }).click();
  await page.getByRole('menuitem', { name: 'Build by form…' }).click();
  const form = formOf(page);
  await form.getByRole('radio', { name: /main\.people/ }).check();
  await form.getByRole('group', { name: 'Grouping' }).getByRole('button', { name: 'Groups' }).click();
  await expect(form.getByText('main.people has no event time, so that there are no windows.')).toBeVisible();
  await expect(form.getByRole('button', { name: 'Windows of time' })).toHaveCount(0);
  await sqlOf(form).fill('SELECT nmae FROM main.people;');
  await expect(form.getByText('You changed the SQL: the form no longer changes it.')).toBeVisible();
  const problem = form.getByRole('listitem').getByRole('button');
  await expect(problem).toContainText('nmae');
  await problem.click();
  await expect.poll(() => sqlOf(form).evaluate((field: HTMLTextAreaElement) => field.value.slice(field.selectionStart, field.selectionEnd))).toBe('nmae');
  await expectAccessible(page);
  await takePictures(page, 'editor-form-edited');
  await form.getByRole('table', { name: 'Grouped by' }).getByRole('checkbox', { name: 'name' }).check();
  await expect(sqlOf(form)).toHaveValue('SELECT nmae FROM main.people;');
  await form.getByRole('button', { name: 'Use the form again' }).click();
  await expect(sqlOf(form)).toHaveValue(/^SELECT\n {2}name,\n {2}COUNT\(\*\) AS row_count\nFROM main\.people\nGROUP BY name;$/);

  // Closed and opened again, it is as it was; what stands in the scratch stays.
  await form.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('button', { name: 'Library' })).toBeFocused();
  await page.getByRole('button', { name: 'Library' }).click();
  await page.getByRole('menuitem', { name: 'Build by form…' }).click();
  await expect(form.getByText('It goes behind what the scratch holds.')).toBeVisible();
  await form.getByRole('button', { name: /^Insert in the editor/ }).click();
  await expect(page.locator('.cm-content')).toContainText('SELECT 1 AS one;');
  await expect(page.locator('.cm-content')).toContainText('COUNT(*) AS row_count');
});

test('form builder: a query from the keyboard alone, beside a job that has SQL', async ({ ownTeam: team, page }) => {
  await makeTables(team);
  const job = await team.post<{ id: string }>('jobs', { name: 'kept', sql: 'SELECT 1 AS kept;' });
  await page.goto(team.at(`editor/${job.id}`));
  await expect(page.getByRole('textbox', { name: 'SQL of kept' })).toBeFocused();
  // Out of the text as the editor has it: Escape, then Tab.
  await page.keyboard.press('Escape');
  const toolbar = page.getByRole('toolbar', { name: 'Draft actions' });
  await tabTo(page, toolbar.getByRole('button', { name: 'Library' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Build by form…' })).toBeFocused();
  await page.keyboard.press('Enter');
  const form = formOf(page);
  await type(page, form.getByRole('searchbox').first(), 'main.orders');
  await expect(form.getByRole('radio')).toHaveCount(1);
  await tabTo(page, form.getByRole('radio'));
  await page.keyboard.press('Space');
  await tabTo(page, form.getByRole('checkbox', { name: 'All' }));
  await page.keyboard.press('Space');
  await expect(form.getByRole('button', { name: /^Insert in the editor/ })).toHaveAttribute('title', 'Tick at least one field.');
  await tabTo(page, form.getByRole('checkbox', { name: 'amount' }));
  await page.keyboard.press('Space');
  await expect(sqlOf(form)).toHaveValue('SELECT\n  amount\nFROM main.orders;');
  await press(page, form.getByRole('button', { name: 'Add a filter' }));
  await expect(form.getByRole('combobox', { name: 'Filter 1: field' })).toBeFocused();
  await page.keyboard.type('paid');
  await tabTo(page, form.getByRole('combobox', { name: 'Filter 1: value' }));
  await page.keyboard.type('TRUE');
  await expect(sqlOf(form)).toHaveValue('SELECT\n  amount\nFROM main.orders\nWHERE paid = TRUE;');
  await press(page, form.getByRole('button', { name: 'Remove Filter 1' }));
  await expect(form.getByRole('button', { name: 'Add a filter' })).toBeFocused();
  await expect(form.getByText('The tab has SQL: it goes into the scratch.')).toBeVisible();
  await press(page, form.getByRole('button', { name: /^Insert in the editor/ }));
  await expect(page).toHaveURL(/\/editor$/);
  const scratch = page.getByRole('textbox', { name: 'SQL of scratch' });
  await expect(scratch).toContainText('FROM main.orders;');
});
