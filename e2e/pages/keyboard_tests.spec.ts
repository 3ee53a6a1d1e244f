/** Test runs and SQL tests by keyboard alone: started, rows per sink, a test that fails, is mended, passes, and goes. */
import { expect, expectAccessible, test } from '../fixtures/app.ts';
import { choose, expectFocusKept, press, tabTo, type } from '../fixtures/keys.ts';
import type { Team } from '../fixtures/team.ts';

const SQL = `CREATE TABLE small (n BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE large (n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO small SELECT n FROM main.numbers WHERE MOD(n, 2) = 0;
INSERT INTO large SELECT n FROM main.numbers WHERE MOD(n, 2) <> 0;`;

async function makeJob(team: Team): Promise<string> {
  await team.post('tables', {
    database: 'main',
    name: 'numbers',
    connector: 'datagen',
    options: { 'rows-per-second': '100' },
    columns: [{ name: 'n', data_type: 'BIGINT', kind: 'physical', nullable: true }],
  });
  return (await team.post<{ id: string }>('jobs', { name: 'Tested', sql: SQL })).id;
}

test('test run by keys: started with limits, looked at sink by sink, and shown again', async ({ page, ownTeam: team }) => {
  test.setTimeout(240_000);
  const job = await makeJob(team);
  await page.goto(team.at(`editor/${job}`));
  await expect(page.getByRole('textbox', { name: 'SQL of Tested' })).toBeFocused();
  await expect(page.getByText('No problems found.')).toBeVisible();
  await page.keyboard.press('Escape');
  await press(page, page.getByRole('group', { name: 'Panel' }).getByRole('button', { name: 'Test results' }));
  await press(page, page.getByRole('button', { name: 'Test run…' }));
  const dialog = page.getByRole('dialog', { name: 'Test run' });
  await choose(page, dialog.getByRole('combobox', { name: 'Read from' }), 'now');
  await type(page, dialog.getByRole('spinbutton', { name: 'Changes kept per sink' }), '20');
  await expectAccessible(page);
  await press(page, dialog.getByRole('button', { name: 'Start test run' }));
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('button', { name: 'Test run…' })).toBeFocused();
  await expect(page.getByText(/^Ended: row limit\./)).toBeVisible({ timeout: 90_000 });

  // Sink by sink, as changes and as the state that they come to.
  const sinks = page.getByRole('group', { name: 'Sink' });
  await press(page, sinks.getByRole('button').last());
  await expect(sinks.getByRole('button').last()).toHaveAttribute('aria-pressed', 'true');
  await expect(sinks.getByRole('button').last()).toBeFocused();
  const rows = page.getByRole('grid', { name: 'Result rows' });
  await expect(rows.getByRole('gridcell', { name: '+I' }).first()).toBeVisible();
  await press(page, page.getByRole('group', { name: 'View' }).getByRole('button', { name: 'Current state' }));
  await expect(rows.getByText('+I')).toHaveCount(0);
  await tabTo(page, rows);
  await page.keyboard.press('ArrowDown');
  await expect(rows).toHaveAttribute('aria-activedescendant', /.+/);
  await expectAccessible(page);

  // In the history: its row keeps its button, and the button the focus.
  await page.goto(team.at(`jobs/${job}/tests`));
  const history = page.getByRole('table', { name: 'Test runs of the last 7 days' });
  const show = history.getByRole('button', { name: 'Show' });
  await press(page, show);
  await expect(page.getByText(/^Ended: row limit\./)).toBeVisible();
  await expectFocusKept(page);
});

test('SQL tests by keys: written, failing, mended, passing, deleted', async ({ page, ownTeam: team }) => {
  test.setTimeout(300_000);
  const job = await makeJob(team);
  for (const name of ['first', 'last']) {
    await team.post(`jobs/${job}/tests`, {
      name,
      inputs: [{ table: 'main.numbers', rows: [] }],
      expected: [{ table: 'small', view: 'state', order: 'any', rows: [] }],
    });
  }
  await page.goto(team.at(`jobs/${job}/tests`));
  const tests = page.getByRole('table', { name: 'SQL tests' });
  await expect(tests.getByRole('rowheader')).toHaveText(['first', 'last']);
  await press(page, page.getByRole('button', { name: 'New test' }));
  const dialog = page.getByRole('dialog', { name: 'New test' });
  await expect(dialog.getByRole('textbox', { name: 'Name' })).toBeFocused();
  await page.keyboard.type('even numbers');
  await expect(dialog.getByRole('heading', { name: 'Inputs' })).toBeVisible();

  // A table that is not there is told, and the message goes with the next letter.
  await press(page, dialog.getByRole('button', { name: 'Add a table' }));
  const input = dialog.getByRole('group').first();
  const table = input.getByRole('combobox', { name: 'Table' }).or(input.getByRole('textbox', { name: 'Table' }));
  await type(page, table, 'main.nowhere');
  await press(page, input.getByRole('button', { name: 'Sample rows' }));
  await expect(input.getByText(/^There is no table main\.nowhere/)).toBeVisible();
  await tabTo(page, table, 'Shift+Tab');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('main.numbers');
  await type(page, input.getByRole('textbox', { name: 'Rows' }), '{"n": 4}');
  await expect(input.getByText(/^There is no table/)).toHaveCount(0);

  await press(page, dialog.getByRole('button', { name: 'Add an expected table' }));
  const expected = dialog.getByRole('group').last();
  await type(page, expected.getByRole('combobox', { name: 'Table' }).or(expected.getByRole('textbox', { name: 'Table' })), 'small');
  await type(page, expected.getByRole('textbox', { name: 'Rows' }), '{"n": 5}');
  await press(page, dialog.getByRole('button', { name: 'Run', exact: true }));
  await expect(dialog.getByText('failed', { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(dialog.getByRole('button', { name: 'Run', exact: true })).toBeFocused();
  // However long the dialog is, its title and its buttons are seen.
  await expect(dialog.getByRole('heading', { level: 2 })).toBeInViewport();
  await expect(dialog.getByRole('button', { name: 'Save test' })).toBeInViewport();
  await expectAccessible(page);
  await tabTo(page, dialog.getByRole('button', { name: 'Take the actual result as expected' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('passed', { exact: true })).toBeVisible({ timeout: 60_000 });
  await press(page, dialog.getByRole('button', { name: 'Save test' }));
  await expect(dialog).toBeHidden();
  await expect(tests.getByRole('row', { name: /even numbers/ })).toContainText('not run');

  // Run from its row: the row gets its result and keeps the focus.
  const run = tests.getByRole('button', { name: 'Run even numbers' });
  await press(page, run);
  await expect(tests.getByRole('row', { name: /even numbers/ })).toContainText('passed', { timeout: 60_000 });
  await expect(run).toBeFocused();

  // Deleted from its row: the row that moves up has the focus.
  await press(page, tests.getByRole('button', { name: 'Delete first' }));
  const sure = page.getByRole('dialog', { name: 'Delete the test first?' });
  await press(page, sure.getByRole('button', { name: 'Delete' }));
  await expect(sure).toBeHidden();
  await expect(tests.getByRole('rowheader', { name: 'first' })).toHaveCount(0);
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(/^Delete /);
  await expectAccessible(page);
});
