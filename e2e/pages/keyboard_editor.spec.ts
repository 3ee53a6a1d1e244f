/** The editor by keyboard alone: a job from the tree, SQL, preview, cancel, saving; tables from their tree. */
import { expect, expectAccessible, test } from '../fixtures/app.ts';
import { arrowTo, expectFocusKept, press, tabTo } from '../fixtures/keys.ts';
import type { Team } from '../fixtures/team.ts';

async function makeTable(team: Team, name: string): Promise<void> {
  await team.post('tables', {
    database: 'main',
    name,
    connector: 'datagen',
    options: { 'rows-per-second': '50' },
    columns: [{ name: 'n', data_type: 'BIGINT', kind: 'physical', nullable: true }],
  });
}

test('editor by keys: a job is opened, written, previewed, cancelled, saved and found in its history', async ({ page, ownTeam: team }) => {
  test.setTimeout(180_000);
  await makeTable(team, 'numbers');
  await team.post('jobs', { name: 'Sums', sql: 'SELECT 1 AS one;', folder: 'daily' });
  await page.goto(team.at('editor'));
  await expect(page.getByRole('textbox', { name: 'SQL of scratch' })).toBeFocused();

  // Out of the text, to the jobs, into the folder.
  await page.keyboard.press('Escape');
  const jobs = page.getByRole('tree', { name: 'Jobs' });
  await tabTo(page, jobs.getByRole('treeitem').first(), 'Shift+Tab');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(jobs.getByRole('treeitem', { name: 'Sums' })).toBeFocused();
  await page.keyboard.press('Enter');
  const text = page.getByRole('textbox', { name: 'SQL of Sums' });
  await expect(text).toContainText('SELECT 1 AS one;');
  await tabTo(page, text);

  await page.keyboard.press('Control+A');
  await page.keyboard.type('SELECT n FROM main.numbres;');
  const problem = page.getByRole('region', { name: 'Problems' }).getByRole('button');
  await expect(problem).toContainText('numbres');
  await page.keyboard.press('Escape');
  await press(page, problem);
  await expect(text).toBeFocused();
  await expect.poll(() => page.evaluate(() => document.getSelection()?.toString())).toContain('numbres');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('SELECT n, COUNT(*) AS c FROM main.numbers GROUP BY n;');
  await expect(page.getByText('No problems found.')).toBeVisible();

  await page.keyboard.press('Control+Enter');
  const rows = page.getByRole('grid', { name: 'Result rows' });
  await expect(rows.getByRole('gridcell').first()).toBeVisible({ timeout: 60_000 });
  await expect(text).toBeFocused();
  await page.keyboard.press('Escape');
  await press(page, page.getByRole('button', { name: 'Cancel on the server' }));
  await expect(page.getByText(/Ended: cancelled/)).toBeVisible();
  await expectFocusKept(page);
  await tabTo(page, rows);
  await page.keyboard.press('ArrowDown');
  await expect(rows).toHaveAttribute('aria-activedescendant', /.+/);
  await expectAccessible(page);

  await tabTo(page, page.getByRole('group', { name: 'Panel' }).getByRole('button', { name: 'History' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('table').filter({ hasText: 'cancelled' })).toBeVisible();
  await expectFocusKept(page);

  // The draft is kept by Ctrl+S from wherever the focus is.
  await page.keyboard.press('Control+s');
  await expect(async () => {
    const { items } = await team.get<{ items: { id: string; name: string }[] }>('jobs');
    const id = items.find((job) => job.name === 'Sums')?.id;
    expect((await team.get<{ draft: { sql: string } }>(`jobs/${id}`)).draft.sql).toContain('main.numbers');
  }).toPass({ timeout: 20_000 });
});

test('editor by keys: a row of the tree keeps the focus while tables come and go', async ({ page, ownTeam: team }) => {
  for (const name of ['alpha', 'beta', 'gamma', 'a_rather_long_name_that_ends_in_eu_west', 'a_rather_long_name_that_ends_in_us_east']) {
    await makeTable(team, name);
  }
  await page.goto(team.at('editor'));
  await expect(page.getByRole('textbox', { name: 'SQL of scratch' })).toBeFocused();
  await page.keyboard.press('Escape');
  const tree = page.getByRole('tree', { name: 'Databases' });
  const beta = tree.getByRole('treeitem', { name: /beta/ });
  await expect(beta).toBeVisible();
  await tabTo(page, tree.locator('[tabindex="0"]'), 'Shift+Tab');
  await arrowTo(page, beta);
  // Both ends of long names are seen.
  await expect(tree.getByText('n_eu_west', { exact: true })).toBeVisible();
  await expect(tree.getByText('n_us_east', { exact: true })).toBeVisible();

  // Somebody makes a table: the tree is asked for again, and the row stays the one with the focus.
  await makeTable(team, 'amended');
  await expect(tree.getByRole('treeitem', { name: /amended/ })).toBeVisible();
  await expect(beta).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(tree.getByRole('treeitem', { name: /BIGINT/ })).toBeVisible();
  await expect(beta).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(tree.getByRole('treeitem', { name: /BIGINT/ })).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await expect(beta).toBeFocused();

  // The table itself goes: the row that took its place has the focus.
  const { items } = await team.get<{ items: { id: string; name: string }[] }>('tables?q=beta');
  await team.delete(`tables/${items.find((table) => table.name === 'beta')?.id}`);
  await expect(beta).toHaveCount(0);
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('treeitem');

  // A search leads to its finds, and Enter writes what was found.
  const search = page.getByRole('searchbox', { name: 'Tables, columns' });
  await tabTo(page, search, 'Shift+Tab');
  await page.keyboard.type('gamma');
  await expect(tree.getByRole('treeitem')).toHaveCount(2);
  await expect(search).toBeFocused();
  await tabTo(page, tree.locator('[tabindex="0"]'));
  await page.keyboard.press('End');
  await expect(tree.getByRole('treeitem', { name: /gamma/ })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('.cm-content')).toContainText('gamma');
  await expectAccessible(page);
});
