/** Shadow runs: the draft beside the version that was deployed, what differs, by keyboard, and in the deployment report. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { unique } from '../fixtures/names.ts';

const TABLES = `CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '0',
  'fields.i.kind' = 'sequence', 'fields.i.start' = '1', 'fields.i.end' = '40');
CREATE TABLE kinds (kind STRING NOT NULL, n BIGINT, PRIMARY KEY (kind) NOT ENFORCED) WITH ('connector' = 'print');
CREATE TABLE big (i BIGINT, label STRING) WITH ('connector' = 'blackhole');
`;

function script(least: number, divisor: number): string {
  const kind = `CASE WHEN MOD(i, ${divisor}) = 0 THEN 'even' ELSE 'odd' END`;
  return `${TABLES}INSERT INTO kinds SELECT ${kind}, COUNT(*) FROM n GROUP BY ${kind};
INSERT INTO big SELECT i, 'n' FROM n WHERE i > ${least};`;
}

interface Job {
  id: string;
  draft: { revision: number; settings: unknown };
}

test('shadow runs: a draft is compared with the deployed version by keyboard, and the report says so', async ({ ownTeam: team, page }) => {
  test.setTimeout(240_000);
  const job = await team.post<Job>('jobs', { name: unique('shadowed', '_'), sql: script(38, 2) });
  await team.post(`jobs/${job.id}/versions`, {});
  const { settings, revision } = job.draft;
  await team.put(`jobs/${job.id}/draft`, { sql: script(37, 4), settings, revision });

  await page.goto(team.at(`jobs/${job.id}/tests`));
  await expect(page.getByText('No shadow run in the last 7 days.')).toBeVisible();
  await page.getByRole('button', { name: 'Compare with running version…' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Shadow run' });
  await expect(dialog).toBeVisible();
  await expect(dialog.getByLabel('Match rows of big by')).toBeVisible();
  await expectAccessible(page);
  await dialog.getByLabel('Match rows of big by').focus();
  await page.keyboard.type('i');
  await dialog.getByRole('button', { name: 'Start shadow run' }).focus();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();

  const history = page.getByRole('table', { name: 'Shadow runs of the last 7 days' });
  const row = history.getByRole('row').nth(1);
  await expect(row).toContainText('different', { timeout: 60_000 });
  const found = page.getByRole('region', { name: 'v1 and draft, compared' });
  await expect(found.getByText('The two versions would not write the same.')).toBeVisible();
  await expect(found.getByText('v1 read 40 records, draft 40.')).toBeVisible();
  const sinks = found.getByRole('table', { name: 'Sinks compared' });
  await expect(sinks.getByRole('row', { name: /^kinds/ })).toHaveText(/kinds\s*kind\s*0\s*2\s*0\s*0/);
  await expect(sinks.getByRole('row', { name: /^big/ })).toHaveText(/big\s*i\s*2\s*0\s*0\s*1/);
  const changed = found.getByRole('group', { name: 'kinds: changed rows, v1 above draft' });
  await expect(changed.locator('del')).toHaveText(['20', '20']);
  await expect(changed.locator('ins')).toHaveCount(2);
  await expect(found.getByRole('group', { name: 'big: rows only in draft' }).getByRole('row')).toHaveCount(2);
  await expectAccessible(page);
  await changed.scrollIntoViewIfNeeded();
  await takePictures(page, 'shadow-run');

  // The version with itself, chosen by keyboard; then the first one is looked at again.
  await page.getByRole('button', { name: 'Compare with running version…' }).focus();
  await page.keyboard.press('Enter');
  await dialog.getByLabel('New version').selectOption('1');
  await dialog.getByRole('button', { name: 'Start shadow run' }).focus();
  await page.keyboard.press('Enter');
  await expect(history.getByRole('row')).toHaveCount(3);
  await expect(history.getByRole('row').nth(1)).toContainText('no differences', { timeout: 60_000 });
  await expect(page.getByText('Both versions would write the same rows.')).toBeVisible();
  await history.getByRole('row').nth(2).getByRole('button', { name: 'Show' }).focus();
  await page.keyboard.press('Enter');
  await expect(found.getByText('The two versions would not write the same.')).toBeVisible();

  await page.goto(team.at(`jobs/${job.id}/report`));
  await expect(page.getByText('Compared with v1 over 40 records: 3 rows differ.')).toBeVisible();
  await expectAccessible(page);
});
