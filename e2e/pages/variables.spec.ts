/** Variables: made, used in the editor with completion, told in the report of a start; secrets that stay hidden; by keys alone. */
import type { Locator, Page } from '@playwright/test';
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { takeCompletion } from '../fixtures/editor.ts';
import { setTheme } from '../fixtures/picture.ts';
import { Team } from '../fixtures/team.ts';

const CANARY = 'canary-of-the-browser';

interface Variables {
  items: { id: string; name: string; value: string; secret: boolean }[];
}

/** Only what these tests made: other specs of the worker use the same team. */
async function forget(team: Team, ...names: string[]): Promise<void> {
  const { items } = await team.get<Variables>('variables');
  for (const variable of items.filter((known) => names.includes(known.name))) {
    await team.delete(`variables/${variable.id}`);
  }
}

async function write(page: Page, sql: string): Promise<void> {
  await page.getByRole('textbox', { name: 'SQL of scratch' }).click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(sql);
}

test('variables: one is made, used in a script and told when it changes', async ({ signedIn: page, server, complaints }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await forget(team, 'least_price', 'token');
  await page.goto(team.at('variables'));
  await expect(page).toHaveTitle('Variables · Millrace');
  await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Variables' })).toHaveAttribute('aria-current', 'page');
  await expect(page.getByRole('heading', { name: 'No variables yet' })).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'variables-none');

  await page.getByRole('button', { name: 'New variable' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New variable' });
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('least price');
  await dialog.getByRole('textbox', { name: 'Value', exact: true }).fill('100');
  complaints.expect(/400/);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByText(/^Use letters, digits and underscores/)).toBeVisible();
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('least_price');
  await dialog.getByRole('textbox', { name: /^Description/ }).fill('Bids below it do not count');
  await expectAccessible(page);
  await takePictures(page, 'variable-new');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();
  const list = page.getByRole('table', { name: 'Variables' });
  await expect(list.getByRole('row', { name: /least_price/ })).toContainText('100');

  await page.getByRole('button', { name: 'New variable' }).click();
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('token');
  await dialog.getByRole('checkbox', { name: 'Secret' }).check();
  await dialog.getByLabel('Secret value').fill(CANARY);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();
  await expect(list.getByRole('row', { name: /token/ })).toContainText('secret');
  expect(await page.content()).not.toContain(CANARY);
  await expectAccessible(page);
  await takePictures(page, 'variables');
  await setTheme(page, 'dark');
  await expectAccessible(page);
  await setTheme(page, 'light');

  // In the editor: near names, completion, values beside the text, and rows.
  await page.goto(team.at('editor'));
  await write(page, 'SELECT price FROM bids WHERE price > ${lest_price};');
  const problem = page.getByRole('region', { name: 'Problems' }).getByRole('button');
  await expect(problem).toContainText("There is no variable 'lest_price'.");
  await expect(page.locator('.cm-lintRange-error')).toHaveText('${lest_price}');
  await problem.click();
  await page.keyboard.press('Alt+Enter');
  await expect(page.locator('.cm-content')).toContainText('${least_price}');
  await expect(page.getByText('No problems found.')).toBeVisible();
  const used = page.getByRole('complementary', { name: 'Settings' }).getByRole('list', { name: 'Variables' });
  await expect(used).toContainText('100');
  await expectAccessible(page);
  await takePictures(page, 'editor-variables');
  await page.getByRole('textbox', { name: 'SQL of scratch' }).click();
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('grid', { name: 'Result rows' }).getByRole('row').nth(2)).toBeVisible({ timeout: 30_000 });

  await write(page, 'SELECT price FROM bids WHERE price > ');
  await page.keyboard.type('${lea');
  const options = page.getByRole('listbox').getByRole('option');
  await expect(options.filter({ hasText: 'least_price' })).toContainText('100');
  await takeCompletion(page, 'least_price');
  await expect(page.locator('.cm-content')).toHaveText('SELECT price FROM bids WHERE price > ${least_price}');

  // A secret comes out by no door.
  await write(page, "SELECT '${token}' AS stolen FROM bids;");
  await expect(problem).toContainText("The secret 'token' can stand only in a table's option that holds a credential.");
  complaints.expect(/422/);
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('region', { name: 'Panels' })).toContainText('secret');
  expect(await page.content()).not.toContain(CANARY);

  // The report of the next start says what changed since the last one.
  const name = `variables_${Date.now()}`;
  const sql = 'INSERT INTO bids_high SELECT auction, bidder, price, bid_time FROM bids WHERE price > ${least_price};';
  const job = await team.post<{ id: string }>('jobs', { name, sql });
  await team.post(`jobs/${job.id}/start`, { from: 'fresh' });
  await team.jobIs(name, 'running');
  await page.goto(team.at('variables'));
  await list.getByRole('row', { name: /least_price/ }).getByRole('button', { name: 'Edit' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit least_price' });
  await edit.getByRole('textbox', { name: 'Value', exact: true }).fill('200');
  await edit.getByRole('button', { name: 'Save' }).click();
  await expect(edit).toBeHidden();
  await page.goto(team.at(`jobs/${job.id}/report`));
  const told = page.getByRole('table', { name: 'Variables' }).getByRole('row', { name: /least_price/ });
  await expect(told).toContainText('200');
  await expect(told).toContainText('was 100');
  await expectAccessible(page);
  await takePictures(page, 'report-variables');
  await team.post(`jobs/${job.id}/stop`, { mode: 'cancel' });

  // Deleting says who names it.
  await page.goto(team.at('variables'));
  await page.getByRole('button', { name: 'Delete least_price' }).click();
  const sure = page.getByRole('dialog', { name: 'Delete the variable least_price?' });
  await expect(sure).toContainText(name);
  await expectAccessible(page);
  await sure.getByRole('button', { name: 'Delete' }).click();
  await expect(list.getByRole('row', { name: /least_price/ })).toHaveCount(0);
  await forget(team, 'token');
});

/** Presses Tab until this has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 45; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`45 tabs do not lead to ${target}`);
}

test('variables: made, changed and deleted without a mouse', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await forget(team, 'by_keys');
  await page.goto(team.at('variables'));
  const press = async (target: Locator): Promise<void> => {
    await tabTo(page, target);
    await page.keyboard.press('Enter');
  };
  const type = async (target: Locator, text: string): Promise<void> => {
    await tabTo(page, target);
    await page.keyboard.press('Control+A');
    await page.keyboard.type(text);
  };
  await press(page.getByRole('button', { name: 'New variable' }).first());
  const dialog = page.getByRole('dialog', { name: 'New variable' });
  await type(dialog.getByRole('textbox', { name: 'Name', exact: true }), 'by_keys');
  const secret = dialog.getByRole('checkbox', { name: 'Secret' });
  await tabTo(page, secret);
  await page.keyboard.press('Space');
  await expect(secret).toBeChecked();
  await page.keyboard.press('Space');
  await expect(secret).not.toBeChecked();
  await type(dialog.getByRole('textbox', { name: 'Value', exact: true }), '1');
  await press(dialog.getByRole('button', { name: 'Save' }));
  await expect(dialog).toBeHidden();
  const row = page.getByRole('table', { name: 'Variables' }).getByRole('row', { name: /by_keys/ });
  await expect(row).toContainText('1');
  await press(row.getByRole('button', { name: 'Edit' }));
  const edit = page.getByRole('dialog', { name: 'Edit by_keys' });
  await type(edit.getByRole('textbox', { name: 'Value', exact: true }), '2');
  await press(edit.getByRole('button', { name: 'Save' }));
  await expect(row).toContainText('2');
  await press(row.getByRole('button', { name: 'Delete by_keys' }));
  const sure = page.getByRole('dialog', { name: 'Delete the variable by_keys?' });
  await expect(sure).toContainText('No script names it.');
  await expectAccessible(page);
  await press(sure.getByRole('button', { name: 'Delete' }));
  await expect(row).toHaveCount(0);
});
