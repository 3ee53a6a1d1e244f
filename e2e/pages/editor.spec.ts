/** The editor: completion, errors at their place, preview with live rows, format in one undo step, keyboard. */
import type { Page } from '@playwright/test';
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { Team } from '../fixtures/team.ts';

/** Replaces the text of the scratch, key by key as a person would where completion matters. */
async function write(page: Page, sql: string): Promise<void> {
  const text = page.getByRole('textbox', { name: 'SQL of scratch' });
  await text.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(sql);
}

test('editor: an error is shown at its place and fixed from the keyboard', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  await expect(page).toHaveTitle('Editor: scratch · Millrace');
  await write(page, 'SELECT auction, prise\nFROM bids;');
  const problem = page.getByRole('region', { name: 'Problems' }).getByRole('button');
  await expect(problem).toContainText('prise');
  await expect(problem).toContainText('line 1, column 17');
  await expect(page.locator('.cm-lintRange-error')).toHaveText('prise');
  await problem.click();
  expect(await page.evaluate(() => document.getSelection()?.toString())).toBe('prise');
  await expectAccessible(page);
  await takePictures(page, 'editor-error');
  await page.keyboard.press('Alt+Enter');
  await expect(page.getByText('No problems found.')).toBeVisible();
  await expect(page.locator('.cm-content')).toContainText('price');
});

test('editor: names complete from the catalog', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  await write(page, 'SELECT auction FROM bids WHERE pri');
  await page.keyboard.press('Control+Space');
  const options = page.getByRole('listbox').getByRole('option');
  await expect(options.filter({ hasText: 'price' }).first()).toBeVisible();
});

test('editor: a preview brings live rows, says what it does not write, and is cancelled on the server', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  await write(page, 'SELECT channel, COUNT(*) AS bids FROM bids GROUP BY channel;');
  await page.keyboard.press('Control+Enter');
  const rows = page.getByRole('grid', { name: 'Result rows' });
  // The grid follows the newest rows: updates of groups that are long known.
  await expect(rows.getByRole('gridcell', { name: '+U' }).first()).toBeVisible({ timeout: 30_000 });
  await page.getByRole('group', { name: 'Rows as' }).getByRole('button', { name: 'Current rows' }).click();
  await expect(rows.getByText('+U')).toHaveCount(0);
  await expectAccessible(page);
  await takePictures(page, 'editor-preview');
  await rows.focus();
  await page.keyboard.press('ArrowDown');
  await expect(rows).toHaveAttribute('aria-activedescendant', /-1-0$/);

  // Nothing matches: it says what it waits for, until it is cancelled.
  await write(page, 'SELECT auction FROM bids WHERE price < 0;');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByText(/^Waits for/)).toBeVisible();
  await page.getByRole('button', { name: 'Cancel on the server' }).click();
  await expect(page.getByText(/Ended: cancelled/)).toBeVisible();
});

test('editor: format is one undo step, and Escape then Tab leaves the text', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  const sql = 'select auction,price from bids where price>100;';
  await write(page, sql);
  const text = page.locator('.cm-content');
  await expect(page.getByText('No problems found.')).toBeVisible();
  await page.keyboard.press('Control+Shift+F');
  await expect(text).not.toHaveText(sql);
  await page.keyboard.press('Control+Z');
  await expect(text).toHaveText(sql);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await expect(text).not.toBeFocused();
});

test('editor: the tables are a tree that the keyboard walks and inserts from', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('editor'));
  await write(page, 'SELECT * FROM ');
  const tree = page.getByRole('tree', { name: 'Databases' });
  await page.getByRole('searchbox', { name: 'Tables, columns' }).fill('bids_apple');
  const table = tree.getByRole('treeitem', { name: /bids_apple/ });
  await expect(table).toBeVisible();
  await tree.getByRole('treeitem').first().focus();
  await page.keyboard.press('ArrowDown');
  await expect(table).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('.cm-content')).toContainText('bids_apple');
});

test('editor: two who edit the same draft do not overwrite each other', async ({ signedIn: page, server, complaints }) => {
  complaints.expect(/409/);
  const team = new Team(page, server);
  const sql = 'INSERT INTO bids_high SELECT auction, bidder, price, bid_time FROM bids WHERE price > 1;';
  const job = await team.post<{ id: string; draft: { revision: number; settings: unknown } }>('jobs', { name: `conflict_${Date.now()}`, sql });
  await page.goto(team.at(`editor/${job.id}`));
  await expect(page.locator('.cm-content')).toContainText('price > 1;');
  const answer = await page.request.put(`${server.url}/api/v1/teams/demo/jobs/${job.id}/draft`, {
    headers: { 'X-Millrace': '1', Origin: server.url },
    data: { sql: sql.replace('> 1', '> 2'), settings: job.draft.settings, revision: job.draft.revision },
  });
  expect(answer.ok()).toBe(true);
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+End');
  await page.keyboard.insertText('\n-- mine');
  await expect(page.getByRole('alert').filter({ hasText: 'Somebody else saved this draft.' })).toBeVisible();
  await page.getByRole('button', { name: 'Load theirs' }).click();
  await expect(page.locator('.cm-content')).toContainText('price > 2;');
  await expect(page.locator('.cm-content')).not.toContainText('-- mine');
});
