/** Jobs by keyboard alone: filters, a selection, a bulk action, report, versions, savepoint, bin. */
import type { Page } from '@playwright/test';
import { expect, expectAccessible, test } from '../fixtures/app.ts';
import { arrowTo, choose, expectFocusKept, press, tabTo, tick } from '../fixtures/keys.ts';
import type { Team } from '../fixtures/team.ts';

const SQL = `CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '20');
CREATE TABLE gone (i BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO gone SELECT i FROM n;`;

async function makeJobs(team: Team, ...names: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const name of names) ids.push((await team.post<{ id: string }>('jobs', { name, sql: SQL, tags: ['keys'] })).id);
  return ids;
}

test('jobs by keys: filtered, saved as a filter, several tagged and deleted, one restored', async ({ page, ownTeam: team }) => {
  test.setTimeout(180_000);
  await makeJobs(team, 'Alpha one', 'Alpha two', 'Beta');
  await page.goto(team.at('jobs'));
  const table = page.getByRole('table', { name: 'Jobs' });
  await expect(table.getByRole('rowheader')).toHaveCount(3);
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('Alpha');
  await expect(table.getByRole('rowheader')).toHaveCount(2);
  await expect(page.getByRole('searchbox')).toBeFocused();

  // The filter gets a name, twice, and the names go again; the focus goes from one to the other.
  for (const name of ['mine', 'ours']) {
    await openSavedFilters(page);
    const save = page.getByRole('dialog', { name: 'Save the filter' });
    await expect(save.getByRole('textbox', { name: 'Name' })).toBeFocused();
    await page.keyboard.type(name);
    await press(page, save.getByRole('button', { name: 'Save' }));
    await expect(save).toBeHidden();
  }
  await openSavedFilters(page);
  const saved = page.getByRole('dialog', { name: 'Save the filter' });
  await press(page, saved.getByRole('button', { name: 'Remove mine' }));
  await expect(saved.getByRole('button', { name: 'Remove mine' })).toHaveCount(0);
  await expect(saved.getByRole('button', { name: 'Remove ours' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(saved.getByRole('listitem')).toHaveCount(0);
  await expectFocusKept(page);
  await page.keyboard.press('Escape');
  await expect(saved).toBeHidden();

  // Several at once, with a report for each.
  await tick(page, page.getByRole('checkbox', { name: 'Select Alpha one' }));
  await tick(page, page.getByRole('checkbox', { name: 'Select Alpha two' }));
  const bar = page.getByRole('region', { name: '2 jobs selected' });
  await press(page, bar.getByRole('button', { name: 'Tag…', exact: true }));
  const tags = page.getByRole('dialog', { name: 'Tag 2 jobs' });
  await expect(tags.getByRole('textbox', { name: 'Tag' })).toBeFocused();
  await page.keyboard.type('quick');
  await press(page, tags.getByRole('button', { name: 'Add the tag' }));
  const result = page.getByRole('dialog', { name: '2 done, 0 refused' });
  await expect(result.getByRole('listitem')).toHaveCount(2);
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(result).toBeHidden();
  await expect(bar.getByRole('button', { name: 'Tag…', exact: true })).toBeFocused();
  await press(page, bar.getByRole('button', { name: 'Delete…' }));
  await press(page, page.getByRole('dialog', { name: 'Delete 2 jobs' }).getByRole('button', { name: 'Delete', exact: true }));
  await expect(result).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('heading', { name: 'No job matches' })).toBeVisible();
  await expectFocusKept(page);

  await press(page, page.getByRole('link', { name: 'Recycle bin' }));
  await expect(page).toHaveURL(/\/jobs\/bin$/);
  const bin = page.getByRole('table', { name: 'Recycle bin' });
  await expect(bin.getByRole('rowheader')).toHaveCount(2);
  await press(page, bin.getByRole('row', { name: /Alpha one/ }).getByRole('button', { name: 'Restore' }));
  const restore = page.getByRole('dialog', { name: 'Restore Alpha one' });
  await press(page, restore.getByRole('button', { name: 'Restore' }));
  await expect(restore).toBeHidden();
  await expect(bin.getByRole('rowheader')).toHaveText(['Alpha two']);
  // The other one is next.
  await expect(bin.getByRole('button', { name: 'Restore' })).toBeFocused();
  expect(await team.job('Alpha one')).toBeDefined();
  await expectAccessible(page);
});

test('jobs by keys: report, start, savepoint, stop, versions compared and rolled back', async ({ complaints, page, ownTeam: team }) => {
  test.setTimeout(300_000);
  // Figures are asked for between the end of the run and its page hearing of it.
  complaints.expect(/404 .*\/figures\)/);
  const [id = ''] = await makeJobs(team, 'By keys');
  await page.goto(team.at(`jobs/${id}/overview`));
  await press(page, page.getByRole('button', { name: 'Start…' }));
  const start = page.getByRole('dialog', { name: 'Start By keys' });
  await press(page, start.getByRole('button', { name: 'What will change' }));
  await expect(start.getByRole('table', { name: 'What is read' })).toBeVisible();
  // The report's own page is of the same choice.
  await expect(start.getByRole('link', { name: /page/ })).toHaveAttribute('href', /\/report\?.*from=fresh/);
  await expectAccessible(page);
  await press(page, start.getByRole('button', { name: 'Start', exact: true }));
  await expect(start).toBeHidden();
  const state = page.locator('.state-pill');
  await expect(state).toHaveAttribute('data-state', 'running', { timeout: 60_000 });
  await expectFocusKept(page);

  const savepoint = page.getByRole('button', { name: 'Savepoint', exact: true });
  await press(page, savepoint);
  await expect(savepoint).toBeFocused();
  await press(page, page.getByRole('navigation', { name: /Job|By keys/ }).getByRole('link', { name: /^Savepoints/ }));
  const points = page.getByRole('table', { name: 'Savepoints' });
  await expect(points.getByRole('row').filter({ hasText: 'savepoint' }).first()).toBeVisible({ timeout: 60_000 });
  await expectAccessible(page);

  await tabTo(page, page.getByRole('button', { name: 'Stop…' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await press(page, page.getByRole('dialog', { name: 'Stop By keys' }).getByRole('button', { name: 'Stop', exact: true }));
  await expect(state).toHaveAttribute('data-state', 'stopped', { timeout: 60_000 });
  await expectFocusKept(page);

  // A second version, compared with the first, and the first made the newest.
  const { draft } = await team.get<{ draft: { settings: object; revision: number } }>(`jobs/${id}`);
  await team.put(`jobs/${id}/draft`, { ...draft, sql: SQL.replace("'20'", "'30'") });
  await team.post(`jobs/${id}/versions`, {});
  await press(page, page.getByRole('navigation', { name: /Job|By keys/ }).getByRole('link', { name: /^Versions/ }));
  await expect(page).toHaveURL(/\/versions/);
  await expect(page.getByRole('rowheader', { name: 'v2', exact: true })).toBeVisible();
  await choose(page, page.getByRole('combobox').first(), 'v1');
  await expect(page).toHaveURL(/[?&]from=1/);
  await expect(page.getByRole('combobox').first()).toBeFocused();
  const first = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'v1', exact: true }) });
  await tabTo(page, first.getByRole('button', { name: 'Roll back to this' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await press(page, page.getByRole('dialog', { name: 'Roll back to v1' }).getByRole('button', { name: 'Roll back to this' }));
  await expect(page.getByRole('row').filter({ hasText: 'Rolled back to v1' })).toContainText('v3');
  await expectFocusKept(page);
  await expectAccessible(page);
});

async function openSavedFilters(page: Page): Promise<void> {
  await press(page, page.getByRole('button', { name: /Saved filters/ }));
  const save = page.getByRole('menuitem', { name: 'Save this filter…' });
  await arrowTo(page, save);
  await page.keyboard.press('Enter');
}
