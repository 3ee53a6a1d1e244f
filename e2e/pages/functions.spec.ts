/** Functions: bring a module or an expression, test it on values, use it in the editor and in a job; the built-in ones. */
import type { Page } from '@playwright/test';
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { setTheme } from '../fixtures/picture.ts';
import { Team } from '../fixtures/team.ts';
import { sampleModule } from '../fixtures/wasm.ts';

interface FunctionView {
  id: string;
  name: string;
}

/** Chooses the module as a person does, and one of its functions. */
async function bring(page: Page, team: Team, entry: RegExp, name: string): Promise<void> {
  await page.goto(team.at('functions'));
  await page.getByRole('button', { name: 'New function' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New function' });
  await dialog.getByLabel('WebAssembly module').setInputFiles({
    name: 'sample.wasm',
    mimeType: 'application/wasm',
    buffer: sampleModule(),
  });
  await dialog.getByRole('radio', { name: entry }).check();
  await dialog.getByRole('textbox', { name: 'Name in SQL' }).fill(name);
  await dialog.getByRole('textbox', { name: /^Remark/ }).fill('Gives back what it takes.');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
}

// The demo's jobs and three compilations of a module share two cores.
test.describe.configure({ timeout: 150_000 });

test('functions: a module is brought, tested on values and used in the editor and in a job', async ({ signedIn: page, server, complaints }) => {
  const team = new Team(page, server);
  await page.goto(team.at('functions'));
  await expect(page).toHaveTitle('Functions · Millrace');
  await expect(page.getByRole('heading', { name: 'No function of your own yet' })).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'functions-none');

  await page.getByRole('button', { name: 'New function' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New function' });
  await dialog.getByLabel('WebAssembly module').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no') });
  await expect(dialog.getByText('Choose a .wasm file.')).toBeVisible();
  complaints.expect(/400/);
  await dialog.getByLabel('WebAssembly module').setInputFiles({ name: 'odd.wasm', mimeType: 'application/wasm', buffer: Buffer.from('no wasm') });
  await expect(dialog.getByText(/no WebAssembly module/)).toBeVisible();
  await dialog.getByLabel('WebAssembly module').setInputFiles({ name: 'sample.wasm', mimeType: 'application/wasm', buffer: sampleModule() });
  await expect(dialog.getByRole('radio')).toHaveCount(2);
  await dialog.getByRole('radio', { name: /^same/ }).check();
  await expect(dialog.getByRole('textbox', { name: 'Name in SQL' })).toHaveValue('same');
  await expectAccessible(page);
  await takePictures(page, 'functions-new-module');
  await page.keyboard.press('Escape');
  await bring(page, team, /^same/, 'same');

  const values = page.getByRole('table', { name: 'Sample values' });
  await values.getByRole('textbox', { name: 'a1, row 1' }).fill('42');
  await page.getByRole('button', { name: 'Add row' }).click();
  await values.getByRole('textbox', { name: 'a1, row 2' }).fill('NULL');
  await page.keyboard.press('Enter');
  const result = page.getByRole('group', { name: 'Result' });
  await expect(result.getByRole('row').nth(1)).toContainText('4242');
  await expect(result.getByRole('row').nth(2)).toContainText('NULLNULL');
  await expectAccessible(page);
  await takePictures(page, 'function-test');
  await setTheme(page, 'dark');
  await expectAccessible(page);

  await page.goto(`${team.at('editor')}?sql=${encodeURIComponent('SELECT auction, same(auction) AS again FROM bids;')}`);
  await expect(page.getByText('No problems found.')).toBeVisible();
  await page.getByRole('textbox', { name: /^SQL of/ }).click();
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('grid').getByRole('row').nth(2)).toBeVisible({ timeout: 30_000 });

  const sql = `CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '20');
    CREATE TABLE gone (i BIGINT) WITH ('connector' = 'blackhole');
    INSERT INTO gone SELECT same(i) FROM n;`;
  const job = await team.post<FunctionView>('jobs', { name: 'same again', sql });
  await team.post(`jobs/${job.id}/start`, { from: 'fresh' });
  await team.jobIs('same again', 'running');

  await page.goto(team.at('functions'));
  const list = page.getByRole('table', { name: 'Yours' });
  await expect(list.getByRole('row', { name: /^same/ })).toContainText('WebAssembly');
  await expectAccessible(page);
  await takePictures(page, 'functions');
  await list.getByRole('row', { name: /^same/ }).getByRole('link', { name: '1', exact: true }).click();
  await expect(page.getByRole('table', { name: 'Used by' }).getByRole('link', { name: 'same again' })).toBeVisible();
  await expectAccessible(page);

  complaints.expect(/409/);
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  const sure = page.getByRole('dialog', { name: 'Delete same?' });
  await sure.getByRole('button', { name: 'Delete' }).click();
  await expect(sure.getByRole('alert')).toContainText('same again');
  await page.keyboard.press('Escape');
});

test('functions: one that never ends says so, and another job goes on', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await bring(page, team, /^forever/, 'forever');
  await page.getByRole('button', { name: 'Run' }).click();
  const failure = page.getByRole('note').filter({ hasText: 'The function failed' });
  await expect(failure).toContainText('forever', { timeout: 40_000 });
  await expectAccessible(page);
  await takePictures(page, 'function-failed');

  const before = await team.jobIs('Bids by channel', 'running');
  const tables = `CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '20');
    CREATE TABLE gone (i BIGINT) WITH ('connector' = 'blackhole');`;
  const settings = {
    parallelism: 1, checkpoint_interval_ms: 10_000, checkpoints_kept: 3, restart_attempts: 0,
    restart_window_ms: 600_000, state_ttl_ms: 0, memory_limit_mb: 512,
  };
  const job = await team.post<FunctionView>('jobs', { name: 'endless', sql: `${tables} INSERT INTO gone SELECT forever(i) FROM n;`, settings });
  await team.post(`jobs/${job.id}/start`, { from: 'fresh' });
  await team.jobIs('endless', 'failed');
  await page.goto(team.at(`jobs/${job.id}/overview`));
  await expect(page.getByRole('main').getByText(/forever/).first()).toBeVisible();
  const after = await team.jobIs('Bids by channel', 'running');
  expect(after.current?.attempt).toBe(before.current?.attempt);
});

test('functions: an expression is checked while it is written, versioned, and deleted', async ({ signedIn: page, server, complaints }) => {
  const team = new Team(page, server);
  await page.goto(team.at('functions'));
  await page.getByRole('button', { name: 'New function' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New function' });
  await dialog.getByRole('button', { name: 'SQL expression' }).click();
  await dialog.getByRole('textbox', { name: 'Name in SQL' }).fill('distance');
  const definition = dialog.getByRole('textbox', { name: 'Definition' });
  await definition.fill('(x DOUBLE, y DOUBLE)\nRETURNS DOUBLE\nRETURN SQRT(x * x + z * z)');
  await expect(definition).toHaveAttribute('aria-invalid', 'true');
  await expect(dialog.getByText(/Line 3, column \d+/)).toBeVisible();
  await definition.fill('(x DOUBLE, y DOUBLE)\nRETURNS DOUBLE\nRETURN SQRT(x * x + y * y)');
  await expect(dialog.getByRole('status')).toContainText('distance');
  await expectAccessible(page);
  await takePictures(page, 'functions-new-expression');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'distance', level: 1 })).toBeVisible();

  await page.getByRole('textbox', { name: 'x, row 1' }).fill('3');
  await page.getByRole('textbox', { name: 'y, row 1' }).fill('4');
  await page.getByRole('button', { name: 'Run' }).click();
  await expect(page.getByRole('group', { name: 'Result' }).getByRole('row').nth(1)).toContainText('5');

  // The same name is refused, and then meant.
  complaints.expect(/409/);
  await page.goto(team.at('functions'));
  await page.getByRole('button', { name: 'New function' }).click();
  await dialog.getByRole('button', { name: 'SQL expression' }).click();
  await dialog.getByRole('textbox', { name: 'Name in SQL' }).fill('distance');
  await definition.fill('(x DOUBLE, y DOUBLE) RETURNS DOUBLE RETURN ABS(x) + ABS(y)');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('checkbox', { name: 'Make it a new version of distance' }).check();
  await dialog.getByRole('button', { name: 'New version' }).click();
  await page.getByRole('link', { name: 'Versions 2' }).click();
  await expect(page.getByRole('table', { name: 'Versions' }).getByRole('row')).toHaveCount(3);
  await expectAccessible(page);
  await takePictures(page, 'function-versions');

  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page).toHaveURL(/\/functions$/);
  await expect(page.getByRole('link', { name: 'distance' })).toHaveCount(0);
});

test('functions: the built-in ones, found by words and filtered by kind', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('functions/built-in'));
  await expect(page).toHaveTitle('Functions · Millrace');
  const list = page.getByRole('table', { name: 'Built in' });
  await expect(list.getByRole('row', { name: /CONCAT/ }).first()).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'functions-built-in');
  await page.getByRole('searchbox').fill('tumble');
  await expect(list.getByRole('row', { name: /TUMBLE/i }).first()).toBeVisible();
  await expect(page).toHaveURL(/[?&]q=tumble/);
});
