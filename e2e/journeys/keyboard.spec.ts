/**
 * The main journey by keyboard alone: sign in, make a table, write SQL, preview, save, start, stop. No mouse, no click.
 */
import { expect, test } from '../fixtures/app.ts';
import { press, tabTo, type } from '../fixtures/keys.ts';
import { unique } from '../fixtures/names.ts';

test('from sign-in to a stopped job without a mouse', async ({ complaints, page }) => {
  // Figures are asked for between the end of the run and its page hearing of it.
  complaints.expect(/404 .*\/figures\)/);
  test.setTimeout(300_000);
  const [table, job] = [unique('by_keys', '_'), unique('by_keys_job', '_')];
  await page.goto('/');
  await press(page, page.getByRole('button', { name: 'Continue as demo user' }));
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible();

  // A table by form.
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await expect(page.getByRole('heading', { level: 1, name: 'Tables' })).toBeVisible();
  await press(page, page.getByRole('link', { name: 'New table' }));
  const connectors = page.getByRole('radiogroup');
  await tabTo(page, connectors.getByRole('radio').first());
  const wanted = connectors.getByRole('radio', { name: /^Data generator/ });
  for (let step = 0; step < 12 && (await wanted.getAttribute('aria-checked')) !== 'true'; step += 1) {
    await page.keyboard.press('ArrowDown');
  }
  await expect(wanted).toBeFocused();
  await press(page, page.getByRole('button', { name: 'Add column' }));
  await type(page, page.getByRole('textbox', { name: 'Column', exact: true }), 'id');
  await type(page, page.getByRole('combobox', { name: 'Type', exact: true }), 'BIGINT');
  await type(page, page.getByRole('textbox', { name: 'Name', exact: true }), table);
  await press(page, page.getByRole('button', { name: 'Create table' }));
  await expect(page.getByRole('heading', { level: 1, name: table, exact: true })).toBeVisible();

  // SQL over it: the text has the focus as soon as the editor is there.
  await press(page, page.getByRole('link', { name: 'Query' }));
  await expect(page.locator('.cm-content')).toBeFocused();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(`INSERT INTO bids_high\nSELECT id, id, id, TIMESTAMP '2026-01-01 00:00:00' FROM ${table};`);
  await expect(page.locator('.cm-line')).toHaveText(['INSERT INTO bids_high', /^SELECT id, id, id/]);
  await expect(page.getByText('No problems found.')).toBeVisible();
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('grid', { name: 'Result rows' }).getByRole('gridcell', { name: '+I' }).first()).toBeVisible({
    timeout: 60_000,
  });

  // Saved as a job: the name has the focus, Enter sends.
  await page.keyboard.press('Control+s');
  const create = page.getByRole('dialog', { name: 'Save as job' });
  await expect(create.getByRole('textbox', { name: 'Name' })).toBeFocused();
  await page.keyboard.press('Control+A');
  await page.keyboard.type(job);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/editor\/[0-9a-f-]{36}/);

  // Out of the text by Esc, then back to the tools beside it.
  await expect(page.locator('.cm-content:visible')).toBeFocused();
  await page.keyboard.press('Escape');
  await tabTo(page, page.getByRole('button', { name: 'Start…' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  const start = page.getByRole('dialog', { name: `Start ${job}` });
  await press(page, start.getByRole('button', { name: 'Start', exact: true }));
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]{36}/);
  const state = page.locator('.state-pill');
  await expect(state).toHaveAttribute('data-state', 'running', { timeout: 60_000 });

  await press(page, page.getByRole('button', { name: 'Stop…' }));
  const stop = page.getByRole('dialog', { name: `Stop ${job}` });
  await press(page, stop.getByRole('button', { name: 'Stop', exact: true }));
  await expect(state).toHaveAttribute('data-state', 'stopped', { timeout: 60_000 });
});
