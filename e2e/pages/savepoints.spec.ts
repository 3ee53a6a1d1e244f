/** Savepoints by schedule in a job's settings, and until when each savepoint is of use. */
import { expect, expectAccessible, test } from '../fixtures/app.ts';
import { until } from '../fixtures/server.ts';
import { Team, type JobView } from '../fixtures/team.ts';

const SQL = `CREATE TABLE kept_source (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '5');
CREATE TABLE kept_sink (n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO kept_sink SELECT n FROM kept_source;`;

test('savepoints: a schedule is set in the settings, checked, and removed', async ({ signedIn: page, server, complaints }) => {
  // A schedule that is too frequent is refused.
  complaints.expect(/400/);
  const team = new Team(page, server);
  const job = await team.post<JobView>('jobs', { name: 'Keeps savepoints', sql: 'SELECT 1' });
  await page.goto(team.at(`jobs/${job.id}/settings`));
  const panel = page.getByRole('region', { name: 'Savepoints by schedule' });
  await expect(panel.getByRole('button', { name: 'Remove this schedule' })).toBeHidden();
  await panel.getByRole('textbox', { name: 'Times' }).fill('*/5 * * * * *');
  await panel.getByRole('button', { name: 'Save' }).click();
  await expect(panel.getByText('Savepoints are taken at most once a minute.')).toBeVisible();

  await panel.getByRole('textbox', { name: 'Times' }).fill('30 4 * * *');
  await panel.getByRole('textbox', { name: 'Time zone' }).fill('Asia/Shanghai');
  await panel.getByRole('spinbutton', { name: 'Savepoints to keep' }).fill('3');
  await expect(panel.getByRole('list', { name: /^Next times/ }).getByRole('listitem')).toHaveCount(5);
  await panel.getByRole('button', { name: 'Save' }).click();
  await expect(panel.getByRole('button', { name: 'Remove this schedule' })).toBeVisible();
  await expectAccessible(page);
  const kept = await team.get<{ schedule: unknown }>(`jobs/${job.id}/savepoint-schedule`);
  expect(kept.schedule).toEqual({ cron: '30 4 * * *', zone: 'Asia/Shanghai', enabled: true, keep: 3 });

  await page.reload();
  await expect(panel.getByRole('spinbutton', { name: 'Savepoints to keep' })).toHaveValue('3');
  await panel.getByRole('button', { name: 'Remove this schedule' }).click();
  await expect(panel.getByRole('button', { name: 'Remove this schedule' })).toBeHidden();
  expect((await team.get<{ schedule?: unknown }>(`jobs/${job.id}/savepoint-schedule`)).schedule).toBeUndefined();
});

test('savepoints: the list and the report say until when one is of use', async ({ signedIn: page, server }) => {
  test.setTimeout(120_000);
  const team = new Team(page, server);
  const job = await team.post<JobView>('jobs', { name: 'Has savepoints', sql: SQL });
  await team.post(`jobs/${job.id}/tests`, {
    name: 'counts',
    inputs: [{ table: 'kept_source', rows: [] }],
    expected: [{ table: 'kept_sink', view: 'state', order: 'any', rows: [] }],
  });
  await team.post(`jobs/${job.id}/start`, { from: 'fresh' });
  await team.jobIs('Has savepoints', 'running');
  await team.post(`jobs/${job.id}/stop`, { mode: 'savepoint' });
  await team.jobIs('Has savepoints', 'stopped');
  await until('the savepoint is listed', 30_000, async () => {
    const { items } = await team.get<{ items: { kind: string }[] }>(`jobs/${job.id}/savepoints`);
    return items.some((point) => point.kind === 'savepoint');
  });

  await page.goto(team.at(`jobs/${job.id}/savepoints`));
  const row = page.getByRole('table', { name: 'Savepoints' }).getByRole('row').filter({ hasText: 'savepoint' });
  await expect(row).toContainText('No limit known');
  await expectAccessible(page);

  await page.goto(team.at(`jobs/${job.id}/report?version=1`));
  await expect(page.getByText(/^No limit known/)).toBeVisible();
  const tests = page.getByRole('region', { name: 'SQL tests' });
  await expect(tests.getByRole('row').filter({ hasText: 'counts' })).toContainText('not run for this version');
  await expectAccessible(page);
  await tests.getByRole('link', { name: 'Tests of this job' }).click();
  await expect(page).toHaveURL(new RegExp(`/jobs/${job.id}/tests$`));
});
