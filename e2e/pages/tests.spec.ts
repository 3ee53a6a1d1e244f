/** Test runs in the editor, and SQL tests that fail, are mended, and pass. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { unique } from '../fixtures/names.ts';
import { until } from '../fixtures/server.ts';
import { Team } from '../fixtures/team.ts';

const SQL = 'INSERT INTO bids_high SELECT auction, bidder, price, bid_time FROM bids WHERE price > 1000;';

test('tests: a test run shows what would be written, says what was replaced, and is kept', async ({ signedIn: page, server }) => {
  test.setTimeout(240_000);
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  const job = await team.post<{ id: string }>('jobs', { name: unique('tested', '_'), sql: SQL });
  await page.goto(team.at(`editor/${job.id}`));
  await expect(page.getByText('No problems found.')).toBeVisible();
  await page.getByRole('group', { name: 'Panel' }).getByRole('button', { name: 'Test results' }).click();
  await expect(page.getByRole('heading', { name: 'No test run yet' })).toBeVisible();

  await page.getByRole('button', { name: 'Test run…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Test run' });
  await expect(dialog).toBeVisible();
  await expectAccessible(page);
  await dialog.getByLabel('Changes kept per sink').fill('20');
  await dialog.getByRole('button', { name: 'Start test run' }).click();
  await expect(page.getByText(/main\.bids_high \(kafka, topic .*\) was replaced by a sandbox table\./)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/which commits no offsets/)).toBeVisible();
  await expect(page.getByText(/^Ended: row limit\./)).toBeVisible({ timeout: 60_000 });
  const rows = page.getByRole('grid', { name: 'Result rows' });
  await expect(rows.getByRole('gridcell', { name: '+I' }).first()).toBeVisible();
  await page.getByRole('group', { name: 'View' }).getByRole('button', { name: 'Current state' }).click();
  await expect(rows.getByRole('gridcell').first()).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'tests-run');

  // It is in the history, also after the page was loaded anew.
  await page.goto(team.at(`jobs/${job.id}/tests`));
  const history = page.getByRole('table', { name: 'Test runs of the last 7 days' });
  await expect(history.getByRole('row')).toHaveCount(2);
  await history.getByRole('button', { name: 'Show' }).click();
  await expect(page.getByText(/^Ended: row limit\./)).toBeVisible();
});

test('tests: a SQL test fails, is mended, and passes; the gate holds a start back', async ({ signedIn: page, server, complaints }) => {
  test.setTimeout(300_000);
  complaints.expect(/409/);
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  const job = await team.post<{ id: string }>('jobs', { name: unique('sql_test', '_'), sql: SQL });
  await page.goto(team.at(`jobs/${job.id}/tests`));
  await expect(page.getByRole('heading', { name: 'No tests yet' })).toBeVisible();
  await page.getByRole('button', { name: 'New test' }).click();
  const dialog = page.getByRole('dialog', { name: 'New test' });
  await dialog.getByLabel('Name').fill('only high bids');
  const input = dialog.getByRole('group', { name: 'main.bids', exact: true });
  await input.getByLabel('Rows').fill('{"@at": 1000, "auction": 1, "bidder": 7, "price": 5}\n{"@at": 2000, "auction": 2, "bidder": 8, "price": 5000}');
  const expected = dialog.getByRole('group', { name: 'main.bids_high', exact: true });
  await expected.getByLabel('Rows').fill('{"auction": 1}');
  await dialog.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(dialog.getByText('failed', { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(dialog.getByRole('heading', { name: 'Missing' })).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'tests-failed');
  await dialog.getByRole('button', { name: 'Save test' }).click();
  await expect(dialog).toBeHidden();
  const tests = page.getByRole('table', { name: 'SQL tests' });
  await expect(tests.getByRole('row', { name: /only high bids/ })).toContainText('not run');
  await page.getByRole('button', { name: 'Run all' }).click();
  await expect(page.getByText('0 passed, 1 failed.')).toBeVisible({ timeout: 60_000 });
  await expect(tests).toContainText('failed');

  await page.getByRole('switch', { name: 'A version starts only when its tests pass' }).check();
  await expect(async () => {
    const found = await team.get<{ gate: { job: boolean } }>(`jobs/${job.id}/tests`);
    expect(found.gate.job).toBe(true);
  }).toPass({ timeout: 20_000 });
  const refused = await page.request.post(`${server.url}/api/v1/teams/demo/jobs/${job.id}/start`, {
    headers: { 'X-Millrace': '1', Origin: server.url },
    data: { from: 'fresh' },
  });
  expect(refused.status()).toBe(409);
  expect(((await refused.json()) as { message: string }).message).toContain('only high bids');

  await tests.getByRole('button', { name: 'Edit only high bids' }).click();
  const edits = page.getByRole('dialog', { name: 'Edit test' });
  await edits.getByRole('button', { name: 'Run', exact: true }).click();
  await edits.getByRole('button', { name: 'Take the actual result as expected' }).click();
  await expect(edits.getByText('passed', { exact: true })).toBeVisible({ timeout: 60_000 });
  await edits.getByRole('button', { name: 'Save test' }).click();
  await expect(edits).toBeHidden();
  await page.getByRole('button', { name: 'Run all' }).click();
  await expect(page.getByText('1 passed, 0 failed.')).toBeVisible({ timeout: 60_000 });
  await takePictures(page, 'tests-passed');
});

test('tests: of two test runs that are opened, the one that was asked for last is shown', async ({ page, ownTeam: team }) => {
  test.setTimeout(240_000);
  const writes = (sink: string) => `CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
CREATE TABLE ${sink} (i BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO ${sink} SELECT i FROM n;`;
  const job = await team.post<{ id: string }>('jobs', { name: 'Opened twice', sql: writes('slow') });
  const runs: Record<string, string> = {};
  for (const sink of ['slow', 'quick']) {
    const { id } = await team.post<{ id: string }>('test-runs', { job: job.id, sql: writes(sink), from: 'earliest', max_rows: 5 });
    await until(`the test run into ${sink} is over`, 60_000, async () => {
      return (await team.get<{ state: string }>(`test-runs/${id}`)).state !== 'running';
    });
    runs[sink] = id;
  }
  let release = (): void => {};
  const quickIsShown = new Promise<void>((resolve) => (release = resolve));
  await page.route(`**/test-runs/${runs.slow}`, async (route) => {
    await quickIsShown;
    await route.continue();
  });
  await page.goto(team.at(`jobs/${job.id}/tests`));
  // The newest stands first.
  const show = page.getByRole('table', { name: 'Test runs of the last 7 days' }).getByRole('button', { name: 'Show' });
  await expect(show).toHaveCount(2);
  await show.last().click();
  await show.first().click();
  const sinks = page.getByRole('group', { name: 'Sink' }).getByRole('button');
  await expect(sinks).toHaveText(['quick']);
  const late = page.waitForResponse((answer) => answer.url().endsWith(`/test-runs/${runs.slow}`));
  release();
  await (await late).finished();
  await expect(page.getByText(/^quick: /)).toBeVisible();
  await expect(sinks).toHaveText(['quick']);
});
