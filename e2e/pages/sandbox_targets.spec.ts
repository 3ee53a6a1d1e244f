/** Sandbox targets: an owner sets one, a test run writes there beside keeping its rows, and what it wrote is removed again. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { unique } from '../fixtures/names.ts';

/** Tables of its own, so that nothing of other tests is read or written. */
const SQL = `CREATE TABLE numbers (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');
CREATE TABLE evens (i BIGINT) WITH ('connector' = 'filesystem', 'path' = 'production/evens', 'format' = 'json');
CREATE TABLE nowhere (i BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO evens SELECT i FROM numbers WHERE MOD(i, 2) = 0;
INSERT INTO nowhere SELECT i FROM numbers;`;

interface Objects {
  items: { name: string }[];
}

test('sandbox targets: one is set, a test run writes there, and what it wrote goes again', async ({ page, ownTeam: team, complaints }) => {
  test.setTimeout(240_000);
  complaints.expect(/400/);
  await page.goto(team.at('access/sandbox'));
  await expect(page.getByRole('heading', { name: 'No sandbox target yet' })).toBeVisible();
  await expect(page.getByText('No test run has written anything outside.')).toBeVisible();
  await expectAccessible(page);

  await page.getByRole('button', { name: 'New target' }).click();
  const editing = page.getByRole('dialog', { name: 'New sandbox target' });
  await editing.getByRole('textbox', { name: 'Folder' }).fill('/etc/sandbox');
  await editing.getByRole('button', { name: 'Save' }).click();
  await expect(editing.getByText(/is outside of the folders that files may be in/)).toBeVisible();
  await expectAccessible(page);
  await editing.getByRole('textbox', { name: 'Folder' }).fill('sandbox');
  await editing.getByRole('button', { name: 'Save' }).click();
  await expect(editing).toBeHidden();
  const targets = page.getByRole('table', { name: 'Sandbox targets' });
  await expect(targets.getByRole('row', { name: /Files/ })).toContainText('folders in sandbox');
  await takePictures(page, 'sandbox-targets');

  const job = await team.post<{ id: string }>('jobs', { name: unique('sandboxed', '_'), sql: SQL });
  await page.goto(team.at(`editor/${job.id}`));
  await expect(page.getByText('No problems found.')).toBeVisible();
  await page.getByRole('group', { name: 'Panel' }).getByRole('button', { name: 'Test results' }).click();
  await page.getByRole('button', { name: 'Test run…' }).click();
  const starting = page.getByRole('dialog', { name: 'Test run' });
  // Only what can be written somewhere is offered.
  const choice = starting.getByRole('combobox', { name: 'Rows of evens' });
  await expect(choice).toHaveValue('kept');
  await expect(starting.getByRole('combobox', { name: 'Rows of nowhere' })).toHaveCount(0);
  await choice.selectOption('kept, and written to a folder in sandbox');
  await expect(starting.getByText(/nothing that exists is written/)).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'sandbox-target-choice');
  await starting.getByLabel('Changes kept per sink').fill('20');
  await starting.getByRole('button', { name: 'Start test run' }).click();
  await expect(page.getByText(/^evens \(filesystem, path production\/evens\) was replaced by a sandbox table, and by the folder sandbox\/evens-[0-9a-f]{8}, which was made for this run\.$/)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/^Ended: row limit\./)).toBeVisible({ timeout: 60_000 });

  const { items } = await team.get<Objects>('sandbox-objects');
  const [object] = items;
  expect(items.length).toBe(1);
  expect(object?.name).toMatch(/^folder sandbox\/evens-[0-9a-f]{8}$/);
  await page.goto(team.at('access/sandbox'));
  const objects = page.getByRole('table', { name: 'Written by test runs' });
  await expect(objects.getByRole('row', { name: object?.name ?? '' })).toContainText('evens');
  await expectAccessible(page);
  await takePictures(page, 'sandbox-objects');
  await page.getByRole('button', { name: `Remove the ${object?.name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByText('No test run has written anything outside.')).toBeVisible();

  await page.getByRole('button', { name: 'Delete the target of Files' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByRole('heading', { name: 'No sandbox target yet' })).toBeVisible();
});
