/** The life of jobs in the console: saved filters and bulk, the bin, roll-back, report, schedule; by mouse and by keys. */
import { expect, expectAccessible, test } from '../fixtures/app.ts';
import { unique } from '../fixtures/names.ts';
import { Team } from '../fixtures/team.ts';

interface Made {
  id: string;
  name: string;
}

async function made(team: Team, name: string, more: object = {}): Promise<Made> {
  return await team.post<Made>('jobs', { name, sql: 'SELECT 1', tags: ['life'], ...more });
}

test('jobs: a filter is saved, comes back by its menu, and is removed', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const [name, tag, filter] = [unique('Saved one'), unique('kept', '-'), unique('Only kept')];
  await made(team, name, { tags: [tag] });
  await page.goto(team.at(`jobs?tag=${tag}`));
  await expect(page.getByRole('link', { name, exact: true })).toBeVisible();
  await page.getByRole('button', { name: /^Saved filters/ }).click();
  await page.getByRole('menuitem', { name: 'Save this filter…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Save the filter' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill(filter);
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();

  await page.goto(team.at('jobs'));
  await page.getByRole('button', { name: /^Saved filters/ }).click();
  await page.getByRole('menuitem', { name: filter }).click();
  await expect(page).toHaveURL(new RegExp(`[?&]tag=${tag}`));
  await page.getByRole('button', { name: /^Saved filters/ }).click();
  await page.getByRole('menuitem', { name: 'Save this filter…' }).click();
  await expect(dialog.getByRole('listitem').filter({ hasText: filter })).toHaveCount(1);
  await dialog.getByRole('button', { name: `Remove ${filter}` }).click();
  await expect(dialog.getByRole('listitem').filter({ hasText: filter })).toHaveCount(0);
  // By the server too, not only by the dialog.
  await page.goto(team.at('jobs'));
  await page.getByRole('button', { name: /^Saved filters/ }).click();
  await expect(page.getByRole('menuitem', { name: 'Save this filter…' })).toBeVisible();
  await expect(page.getByRole('menuitem', { name: filter })).toHaveCount(0);
});

test('jobs: a selection is tagged and deleted, with a result for each', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const [one, two, tag] = [unique('Bulk one'), unique('Bulk two'), unique('bulk', '-')];
  await made(team, one, { tags: [tag] });
  await made(team, two, { tags: [tag] });
  await page.goto(team.at(`jobs?tag=${tag}`));
  await page.getByRole('checkbox', { name: 'Select all 2 jobs' }).check();
  const bar = page.getByRole('region', { name: '2 jobs selected' });
  await bar.getByRole('button', { name: 'Tag…', exact: true }).click();
  const tags = page.getByRole('dialog', { name: 'Tag 2 jobs' });
  await tags.getByRole('textbox', { name: 'Tag' }).fill('new');
  await tags.getByRole('button', { name: 'Add the tag' }).click();
  const result = page.getByRole('dialog', { name: '2 done, 0 refused' });
  await expect(result.getByRole('listitem')).toHaveText([`${one} is tagged`, `${two} is tagged`]);
  await result.getByRole('button', { name: 'Close' }).last().click();
  await expect(result).toBeHidden();
  await expect(page.getByRole('row').filter({ hasText: one })).toContainText('new');

  await bar.getByRole('button', { name: 'Delete…' }).click();
  const asked = page.getByRole('dialog', { name: 'Delete 2 jobs' });
  await expect(asked).toBeVisible();
  await expectAccessible(page);
  await asked.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(result.getByRole('listitem').filter({ hasText: one })).toBeVisible();
  expect(await team.job(one)).toBeUndefined();
  expect(await team.job(two)).toBeUndefined();
});

test('jobs: filter, select and delete by keys alone', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const name = unique('Thrown out');
  await made(team, name, { tags: ['keys'] });
  await page.goto(team.at('jobs'));
  await expect(page.getByRole('table', { name: 'Jobs' })).toBeVisible();
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type(name);
  await expect(page).toHaveURL(new RegExp(`q=${encodeURIComponent(name)}`));
  await expect(page.getByRole('table', { name: 'Jobs' }).getByRole('rowheader')).toHaveText([name]);
  const select = page.getByRole('checkbox', { name: `Select ${name}` });
  await select.focus();
  await expect(select).toBeFocused();
  await page.keyboard.press('Space');
  const remove = page.getByRole('region', { name: '1 job selected' }).getByRole('button', { name: 'Delete…' });
  await remove.focus();
  await expect(remove).toBeFocused();
  await page.keyboard.press('Enter');
  const sure = page.getByRole('dialog', { name: 'Delete 1 job' }).getByRole('button', { name: 'Delete', exact: true });
  await sure.focus();
  await expect(sure).toBeFocused();
  await page.keyboard.press('Enter');
  const result = page.getByRole('dialog', { name: '1 done, 0 refused' });
  await expect(result).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(result).toBeHidden();
  await expect(page.getByRole('heading', { name: 'No job matches' })).toBeVisible();
});

test('bin: a deleted job comes back under another name, and goes for good by its name', async ({ signedIn: page, server, complaints }) => {
  // The page of the job asks once more when it is gone; its name is taken when it comes back.
  complaints.expect(/40[49]/);
  const team = new Team(page, server);
  const name = unique('Twice');
  const restored = `${name} (restored)`;
  const first = await made(team, name);
  await page.goto(team.at(`jobs/${first.id}/settings`));
  await page.getByRole('button', { name: 'Delete this job…' }).click();
  const asked = page.getByRole('dialog', { name: `Delete ${name}` });
  await expect(asked).toContainText('recycle bin');
  await asked.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page).toHaveURL(/\/jobs$/);
  await made(team, name);

  await page.getByRole('link', { name: 'Recycle bin' }).click();
  await expect(page).toHaveURL(/\/jobs\/bin$/);
  await expect(page).toHaveTitle('Recycle bin · Millrace');
  const row = page.getByRole('row').filter({ hasText: name });
  await expect(row.getByRole('cell', { name: /^(29|30)$/ })).toBeVisible();
  await expectAccessible(page);
  await row.getByRole('button', { name: 'Restore' }).click();
  const restore = page.getByRole('dialog', { name: `Restore ${name}` });
  await restore.getByRole('button', { name: 'Restore' }).click();
  await expect(restore).toContainText(`"${restored}"`);
  await restore.getByRole('textbox', { name: 'Name' }).fill(restored);
  await restore.getByRole('button', { name: 'Restore' }).click();
  await expect(restore).toBeHidden();
  const back = await team.job(restored);
  expect(back?.id).toBe(first.id);

  await team.post('jobs/bulk', { action: 'delete', jobs: [first.id] });
  const again = page.getByRole('row').filter({ hasText: restored });
  await again.getByRole('button', { name: 'Delete for good' }).click();
  const gone = page.getByRole('dialog', { name: `Delete ${restored} for good` });
  await expect(gone.getByRole('button', { name: 'Delete for good' })).toHaveAttribute('aria-disabled', 'true');
  await gone.getByRole('textbox').fill(restored);
  await gone.getByRole('button', { name: 'Delete for good' }).click();
  await expect(gone).toBeHidden();
  await expect(again).toHaveCount(0);
});

test('versions: rolling back makes a new version', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const { id } = await team.jobIs('Bids by channel', 'running', 'stopped');
  const { draft } = await team.get<{ draft: { sql: string; settings: object } }>(`jobs/${id}`);
  const job = await made(team, unique('Rolled'), { sql: draft.sql });
  await team.post(`jobs/${job.id}/versions`, {});
  const settings = { ...draft.settings, parallelism: 2 };
  const url = `${server.url}/api/v1/teams/demo/jobs/${job.id}/draft`;
  const headers = { 'X-Millrace': '1', Origin: server.url };
  const saved = await page.request.put(url, { data: { sql: draft.sql, settings, revision: 1 }, headers });
  expect(saved.ok(), await saved.text()).toBe(true);
  await team.post(`jobs/${job.id}/versions`, {});

  await page.goto(team.at(`jobs/${job.id}/versions?from=1&to=2`));
  await expect(page.getByText('Tasks 1 → 2')).toBeVisible();
  await expectAccessible(page);
  const first = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'v1', exact: true }) });
  await first.getByRole('button', { name: 'Roll back to this' }).click();
  await page.getByRole('dialog', { name: 'Roll back to v1' }).getByRole('button', { name: 'Roll back to this' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'Rolled back to v1' })).toContainText('v3');
});

test('report: what a start would change stands in the dialog and at its own address', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const { id } = await team.jobIs('Bids by channel', 'running', 'stopped');
  const { draft } = await team.get<{ draft: { sql: string } }>(`jobs/${id}`);
  const job = await made(team, unique('Reported'), { sql: draft.sql });
  await page.goto(team.at(`jobs/${job.id}/report`));
  await expect(page.getByRole('heading', { name: 'What a start would change' })).toBeVisible();
  await expect(page.getByText('Starts the draft, which becomes a version. It never ran.')).toBeVisible();
  await expect(page.getByRole('table', { name: 'What is read' })).toBeVisible();
  await expectAccessible(page);
  await page.goto(team.at(`jobs/${job.id}/overview`));
  await page.getByRole('button', { name: /^Start/ }).first().click();
  const dialog = page.getByRole('dialog', { name: new RegExp(job.name) });
  await dialog.getByRole('button', { name: 'What will change' }).click();
  await expect(dialog.getByRole('table', { name: 'What is read' })).toBeVisible();
  await expectAccessible(page);
});

test('schedule: a stream becomes a batch job, its times are shown and kept', async ({ signedIn: page, server, complaints }) => {
  complaints.expect(/400/);
  const team = new Team(page, server);
  const job = await made(team, unique('Nightly'));
  await page.goto(team.at(`jobs/${job.id}/schedule`));
  await page.getByRole('button', { name: 'Make it a batch job' }).click();
  await page.getByRole('textbox', { name: 'Times', exact: true }).fill('30 2 * * *');
  await page.getByRole('textbox', { name: 'Time zone' }).fill('Europe/Berlin');
  await expect(page.getByRole('list', { name: /^Next times/ }).getByRole('listitem')).toHaveCount(5);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('The schedule is saved')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('textbox', { name: 'Time zone' })).toHaveValue('Europe/Berlin');
  await page.getByRole('textbox', { name: 'Times', exact: true }).fill('every day');
  await expect(page.getByText(/not a cron expression/)).toBeVisible();
});
