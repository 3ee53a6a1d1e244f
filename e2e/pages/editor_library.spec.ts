/** The editor's library: previews kept with their rows and compared, snippets, templates. */
import type { Page } from '@playwright/test';
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { takeCompletion } from '../fixtures/editor.ts';
import { Team } from '../fixtures/team.ts';

async function write(page: Page, sql: string): Promise<void> {
  await page.getByRole('textbox', { name: 'SQL of scratch' }).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(sql);
  await expect(page.getByText('No problems found.')).toBeVisible();
}

async function preview(page: Page, sql: string, cell: string): Promise<void> {
  await write(page, sql);
  await page.keyboard.press('Control+Enter');
  const grid = page.getByRole('grid', { name: 'Result rows' });
  await expect(grid.getByRole('gridcell', { name: cell, exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(/^Ended:/)).toBeVisible();
}

async function choose(page: Page, item: string): Promise<void> {
  await page.getByRole('toolbar', { name: 'Draft actions' }).getByRole('button', { name: 'Library' }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

test('editor library: previews are kept with their rows, opened after a reload, and compared', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const mark = `kept_${Date.now()}`;
  await page.goto(team.at('editor'));
  await preview(page, `SELECT '${mark}_a' AS mark UNION ALL SELECT 'both_of_${mark}' AS mark;`, `${mark}_a`);
  await preview(page, `SELECT '${mark}_b' AS mark UNION ALL SELECT 'both_of_${mark}' AS mark;`, `${mark}_b`);

  await page.reload();
  await page.getByRole('group', { name: 'Panel' }).getByRole('button', { name: 'History' }).click();
  const rows = page.getByRole('table', { name: 'History' }).getByRole('row').filter({ hasText: mark });
  await expect(rows).toHaveCount(2);
  const first = rows.filter({ hasText: `${mark}_a` });
  await expect(first).toContainText('finished');

  const compare = page.getByRole('region', { name: 'Compare two previews' });
  for (const [side, half] of [['A', 'a'], ['B', 'b']] as const) {
    const select = compare.getByLabel(side, { exact: true });
    const option = select.locator('option').filter({ hasText: `${mark}_${half}` });
    await select.selectOption(await option.getAttribute('value'));
  }
  await expect(compare.getByRole('group', { name: 'Rows only in A' })).toContainText(`${mark}_a`);
  await expect(compare.getByRole('group', { name: 'Rows only in B' })).toContainText(`${mark}_b`);
  await expect(compare.getByRole('group', { name: 'Rows only in A' })).not.toContainText('both_of');
  await expect(compare.getByRole('status')).toContainText('1 only in A, 1 only in B');
  await expectAccessible(page);
  await takePictures(page, 'editor-history-compare');

  await write(page, 'SELECT 1 AS one;');
  await page.keyboard.press('Control+A');
  await first.getByRole('button', { name: 'Insert the SQL at the caret' }).click();
  await expect(page.locator('.cm-content')).toContainText(`${mark}_a`);
  await first.getByRole('button', { name: 'Show rows' }).click();
  const grid = page.getByRole('grid', { name: 'Result rows' });
  await expect(grid.getByRole('gridcell', { name: `${mark}_a`, exact: true })).toBeVisible();
  await expect(page.getByText(/Rows of the preview of .*; nothing runs\./)).toBeVisible();

  await page.getByRole('group', { name: 'Panel' }).getByRole('button', { name: 'History' }).click();
  await first.getByRole('button', { name: /^Delete the preview/ }).click();
  await expect(first).toHaveCount(0);
  await expect(rows).toHaveCount(1);
});

test('editor library: a snippet is saved, completed, put in, renamed and deleted', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const name = `snip${Date.now()}`;
  await page.goto(team.at('editor'));
  await write(page, "SELECT 'of the snippet' AS words;");
  await choose(page, 'Save as snippet…');
  const saving = page.getByRole('dialog', { name: 'Save as snippet' });
  await saving.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await expect(saving.getByRole('textbox', { name: 'SQL', exact: true })).toHaveValue("SELECT 'of the snippet' AS words;");
  await expectAccessible(page);
  await takePictures(page, 'editor-snippet-new');
  await saving.getByRole('button', { name: 'Save' }).click();
  await expect(saving).toBeHidden();

  await page.getByRole('textbox', { name: 'SQL of scratch' }).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.keyboard.type(name.slice(0, 8));
  await takeCompletion(page, name);
  await expect(page.locator('.cm-content')).toHaveText("SELECT 'of the snippet' AS words;");

  await choose(page, 'Snippets…');
  const list = page.getByRole('dialog', { name: 'Snippets' });
  await expect(list.getByRole('row', { name }).first()).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'editor-snippets');
  await list.getByRole('row', { name }).getByRole('button', { name: 'Edit' }).click();
  const edit = page.getByRole('dialog', { name: `Edit ${name}` });
  await edit.getByRole('textbox', { name: 'Name', exact: true }).fill(`${name}_new`);
  await edit.getByRole('button', { name: 'Save' }).click();
  await expect(edit).toBeHidden();

  await page.getByRole('textbox', { name: 'SQL of scratch' }).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText('-- before\n');
  await choose(page, 'Snippets…');
  await list.getByRole('row', { name: `${name}_new` }).getByRole('button', { name: 'Insert' }).click();
  await expect(list).toBeHidden();
  await expect(page.locator('.cm-content')).toContainText("-- beforeSELECT 'of the snippet' AS words;");

  await choose(page, 'Snippets…');
  await list.getByRole('button', { name: `Delete ${name}_new` }).click();
  const sure = page.getByRole('dialog', { name: `Delete the snippet ${name}_new?` });
  await sure.getByRole('button', { name: 'Delete' }).click();
  await expect(sure).toBeHidden();
  await expect(list.getByRole('row', { name: `${name}_new` })).toHaveCount(0);
});

test('editor library: a template is a script without problems', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('editor'));
  await page.getByRole('textbox', { name: 'SQL of scratch' }).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await choose(page, 'New from template…');
  const dialog = page.getByRole('dialog', { name: 'New from template' });
  const row = dialog.getByRole('row', { name: /^Top-N/ });
  await expect(row).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'editor-templates');
  await row.getByRole('button', { name: 'Use' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.locator('.cm-content')).toContainText('ROW_NUMBER()');
  await expect(page.getByText('No problems found.')).toBeVisible();
});
