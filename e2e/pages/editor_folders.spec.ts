/** Folders of jobs in the editor: moved, renamed, opened, by mouse and from the keyboard; the list of jobs by folder. */
import type { Page } from '@playwright/test';
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { tabTo, type } from '../fixtures/keys.ts';

test('job folders: moved, opened, and renamed with all below', async ({ ownTeam: team, page, complaints }) => {
  complaints.expect(/400/);
  await team.post('jobs', { name: 'Sums of the day', sql: 'SELECT 1 AS sums;' });
  await team.post('jobs', { name: 'Bills', sql: 'SELECT 2 AS bills;', folder: 'billing' });
  await page.goto(team.at('editor'));
  const side = page.getByRole('region', { name: 'Jobs', exact: true });
  const jobs = side.getByRole('tree', { name: 'Jobs' });
  await expect(jobs).toMatchAriaSnapshot(`
    - tree "Jobs":
      - treeitem "billing 1"
      - treeitem "Sums of the day"
  `);
  await jobs.getByRole('treeitem', { name: 'Sums of the day' }).hover();
  await jobs.getByRole('treeitem', { name: 'Sums of the day' }).getByTitle('Move to folder').click();
  const dialog = page.getByRole('dialog', { name: 'Move Sums of the day to a folder' });
  await expect(dialog.locator('datalist option')).toHaveAttribute('value', 'billing');
  await dialog.getByRole('combobox', { name: 'Folder' }).fill('billing//daily');
  await dialog.getByRole('button', { name: 'Move' }).click();
  await expect(dialog.getByText('A folder has at most 5 levels')).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'editor-folder-move');
  await dialog.getByRole('combobox', { name: 'Folder' }).fill('billing/daily');
  await dialog.getByRole('button', { name: 'Move' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText('Sums of the day lies in billing/daily now')).toBeVisible();
  await expect(jobs.getByRole('treeitem', { name: 'daily 1' })).toHaveAttribute('aria-level', '2');
  await expect(jobs.getByRole('treeitem', { name: 'Sums of the day' })).toHaveAttribute('aria-level', '3');

  await jobs.getByRole('treeitem', { name: 'Sums of the day' }).click();
  await expect(page.getByRole('textbox', { name: 'SQL of Sums of the day' })).toContainText('SELECT 1 AS sums;');
  await expect(jobs.getByRole('treeitem', { name: 'Sums of the day' })).toHaveAttribute('aria-selected', 'true');
  await expectAccessible(page);
  await takePictures(page, 'editor-folders');

  await jobs.getByRole('treeitem', { name: 'billing 2' }).hover();
  await jobs.getByRole('treeitem', { name: 'billing 2' }).getByTitle('Rename folder').click();
  const rename = page.getByRole('dialog', { name: 'Rename the folder billing' });
  await rename.getByRole('combobox', { name: 'Folder' }).fill('finance/invoices');
  await rename.getByRole('button', { name: 'Rename' }).click();
  await expect(rename).toBeHidden();
  await expect(jobs.getByRole('treeitem', { name: 'finance 2' })).toBeVisible();
  await expect(jobs.getByRole('treeitem', { name: /^billing/ })).toHaveCount(0);
  await expect.poll(async () => (await team.get<{ items: { name: string; folder: string }[] }>('jobs?sort=name')).items.map(({ name, folder }) => `${name}: ${folder}`)).toEqual([
    'Bills: finance/invoices',
    'Sums of the day: finance/invoices/daily',
  ]);

  await page.goto(team.at('jobs'));
  await page.getByRole('button', { name: 'finance/invoices/daily' }).click();
  await expect(page).toHaveURL(/folder=finance/);
  await expect(page.getByRole('link', { name: 'Bills' })).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Sums of the day' })).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'jobs-folder');
  await page.getByRole('checkbox', { name: /Sums of the day/ }).check();
  await page.getByRole('button', { name: 'Move…' }).click();
  const move = page.getByRole('dialog', { name: 'Move 1 job to a folder' });
  await takePictures(page, 'jobs-folder-move');
  await move.getByRole('textbox', { name: 'Folder' }).fill('archive');
  await move.getByRole('button', { name: 'Move', exact: true }).click();
  await expect(page.getByRole('dialog').getByText('is in the folder')).toBeVisible();
});

test('job folders: from the keyboard alone', async ({ ownTeam: team, page }) => {
  await team.post('jobs', { name: 'Alpha', sql: 'SELECT 1 AS alpha;' });
  await team.post('jobs', { name: 'Beta', sql: 'SELECT 2 AS beta;', folder: 'old' });
  await page.goto(team.at('editor'));
  await expect(page.getByRole('textbox', { name: 'SQL of scratch' })).toBeFocused();
  await page.keyboard.press('Escape');
  const jobs = page.getByRole('tree', { name: 'Jobs' });
  const old = jobs.getByRole('treeitem', { name: /^old/ });
  await tabTo(page, old, 'Shift+Tab');
  await page.keyboard.press('ArrowRight');
  await expect(old).toHaveAttribute('aria-expanded', 'true');
  await expect(old).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(jobs.getByRole('treeitem', { name: 'Beta' })).toBeFocused();
  await page.keyboard.press('End');
  await expect(jobs.getByRole('treeitem', { name: 'Alpha' })).toBeFocused();
  await page.keyboard.press('F2');
  await fill(page, 'Move Alpha to a folder', 'old');
  await expect(jobs.getByRole('treeitem', { name: 'Alpha' })).toHaveAttribute('aria-level', '2');

  await tabTo(page, jobs.locator('[tabindex="0"]'));
  await page.keyboard.press('Home');
  await expect(old).toBeFocused();
  await page.keyboard.press('F2');
  await fill(page, 'Rename the folder old', 'new');
  const renamed = jobs.getByRole('treeitem', { name: /^new/ });
  await expect(renamed).toBeVisible();
  await tabTo(page, jobs.locator('[tabindex="0"]'));
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await expect(jobs.getByRole('treeitem', { name: 'Alpha' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'SQL of Alpha' })).toContainText('SELECT 1 AS alpha;');
  await expectAccessible(page);
});

async function fill(page: Page, title: string, folder: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: title });
  await type(page, dialog.getByRole('combobox', { name: 'Folder' }), folder);
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
}
