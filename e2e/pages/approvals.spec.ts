/** Starts that somebody else approves: switched on, asked for, decided on two pages; by mouse, and by keys alone. */
import type { Page } from '@playwright/test';
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { press, tabTo, type } from '../fixtures/keys.ts';
import { browserOf, newMember } from '../fixtures/people.ts';
import type { Server } from '../fixtures/server.ts';
import type { Team } from '../fixtures/team.ts';

const SQL = `CREATE TABLE n (i BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '20');
CREATE TABLE gone (i BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO gone SELECT i FROM n;`;

function api(server: Server): { base: string; headers: Record<string, string> } {
  return { base: `${server.url}/api/v1`, headers: { 'X-Millrace': '1', Origin: server.url } };
}

async function setMode(page: Page, server: Server, team: Team, mode: 'off' | 'required'): Promise<void> {
  const { base, headers } = api(server);
  const answer = await page.request.put(`${base}/teams/${team.slug}/approval-mode`, { data: { mode }, headers });
  expect(answer.ok(), await answer.text()).toBe(true);
}

test('approvals: a start is asked for, approved by somebody else, and begins', async ({
  complaints,
  page,
  ownTeam: team,
  server,
  browser,
}) => {
  test.setTimeout(300_000);
  // A request without a reason is refused; figures are asked for between the end of a run and its page hearing of it.
  complaints.expect(/400/);
  complaints.expect(/404 .*\/figures\)/);
  const job = await team.post<{ id: string }>('jobs', { name: 'Approved job', sql: SQL });
  const theirs = await browserOf(await newMember(team, 'Ulla Approver', 'operator'), browser, server);
  try {
    await page.goto(team.at('access'));
    const setting = page.getByRole('region', { name: 'Approval of starts' });
    await expect(setting).toContainText('Jobs start without approval.');
    await setting.getByRole('button', { name: 'Ask for approval' }).click();
    const confirm = page.getByRole('dialog', { name: 'Ask for approval of every start?' });
    await expect(confirm).toBeVisible();
    await expectAccessible(page);
    await confirm.getByRole('button', { name: 'Ask for approval' }).click();
    await expect(confirm).toBeHidden();
    await expect(setting).toContainText('once another operator or owner has approved');
    await expectAccessible(page);
    await takePictures(page, 'approval-setting');

    // The start dialog asks instead of starting.
    await page.goto(team.at(`jobs/${job.id}`));
    await page.getByRole('button', { name: 'Start…' }).click();
    const start = page.getByRole('dialog', { name: 'Start Approved job' });
    await expect(start.getByText('This start needs approval')).toBeVisible();
    await expect(start.getByRole('button', { name: 'Start', exact: true })).toHaveCount(0);
    await start.getByRole('button', { name: 'Ask for approval' }).click();
    await expect(start.getByText('Say a few words.')).toBeVisible();
    await start.getByLabel('Why it is to start').fill('The report for March needs it');
    await expect(start.getByRole('checkbox', { name: 'Start as soon as it is approved' })).toBeChecked();
    await expectAccessible(page);
    await takePictures(page, 'approval-ask');
    await start.getByRole('button', { name: 'Ask for approval' }).click();
    await expect(start).toBeHidden();
    const asked = page.getByText('You asked for approval to start v1');
    await expect(asked).toBeVisible();
    await expectAccessible(page);

    // The other person is told, sees what would change, and approves.
    const other = await theirs.newPage();
    await other.goto(team.at('jobs'));
    await other.getByRole('button', { name: /^Notices, \d+ unread/ }).click();
    await other.getByRole('menuitem', { name: /asks for approval to start Approved job, version 1/ }).click();
    await expect(other).toHaveURL(/\/access\/requests$/);
    const waiting = other.getByRole('table', { name: 'Starts to approve' });
    await expect(waiting.getByRole('row', { name: /Approved job/ })).toContainText('The report for March needs it');
    await expectAccessible(other);
    await waiting.getByRole('row', { name: /Approved job/ }).getByRole('button', { name: /^Decide/ }).click();
    const decide = other.getByRole('dialog', { name: 'Decide on the start of Approved job, v1' });
    await expect(decide.getByText('It starts as soon as it is approved.')).toBeVisible();
    await expect(decide.getByRole('heading', { name: 'State of each operator' })).toBeVisible();
    await decide.getByRole('button', { name: 'Decline' }).click();
    await expect(decide.getByText('Say why it is declined.')).toBeVisible();
    await decide.getByLabel('A word to the person').fill('Fine');
    await expectAccessible(other);
    await takePictures(other, 'approval-decide');
    await decide.getByRole('button', { name: 'Approve' }).click();
    await expect(decide).toBeHidden();
    await expect(waiting).toHaveCount(0);
    await team.jobIs('Approved job', 'running');
    await expect(asked).toBeHidden();

    // The history says who approved; starting the same version again needs nobody.
    await page.goto(team.at(`jobs/${job.id}/runs`));
    await expect(page.getByRole('table', { name: 'Runs' })).toContainText('approved by Ulla Approver');
    await expectAccessible(page);
    await team.post(`jobs/${job.id}/stop`, { mode: 'cancel' });
    await team.jobIs('Approved job', 'stopped');
    await page.goto(team.at(`jobs/${job.id}`));
    await page.getByRole('button', { name: 'Start…' }).click();
    await expect(start.getByText(/^Approved by Ulla Approver/)).toBeVisible();
    await start.getByRole('button', { name: 'Start', exact: true }).click();
    await expect(start).toBeHidden();
    await team.jobIs('Approved job', 'running');

    // While it runs, a changed draft is asked for on the same page.
    const before = await team.get<{ draft: { settings: object; revision: number } }>(`jobs/${job.id}`);
    const { base, headers } = api(server);
    const changed = { ...before.draft, sql: SQL.replace("'20'", "'30'") };
    const saved = await page.request.put(`${base}/teams/${team.slug}/jobs/${job.id}/draft`, { data: changed, headers });
    expect(saved.ok(), await saved.text()).toBe(true);
    await page.getByRole('button', { name: 'Ask for approval…' }).click();
    await expect(start.getByText('The job runs. Once this is approved, stop it and start it again.')).toBeVisible();
    await expect(start.getByLabel('What starts')).toBeVisible();
    await expectAccessible(page);
    await start.getByRole('button', { name: 'Cancel' }).click();
    await team.cancel('Approved job');
  } finally {
    await theirs.close();
  }
});

test('approvals: declined by keys alone, on the page of the job', async ({ complaints, page, ownTeam: team, server, browser }) => {
  test.setTimeout(240_000);
  complaints.expect(/404 .*\/figures\)/);
  const job = await team.post<{ id: string }>('jobs', { name: 'Declined job', sql: SQL });
  const theirs = await browserOf(await newMember(team, 'Olga Operator', 'operator'), browser, server);
  try {
    await setMode(page, server, team, 'required');
    const { base, headers } = api(server);
    const path = `${base}/teams/${team.slug}/jobs/${job.id}`;
    const refused = await theirs.request.post(`${path}/start`, { data: { from: 'latest' }, headers });
    expect(refused.status()).toBe(409);
    expect(((await refused.json()) as { code: string }).code).toBe('approval_needed');
    const data = { from: 'latest', reason: 'On a Friday evening' };
    const asked = await theirs.request.post(`${path}/approvals`, { data, headers });
    expect(asked.ok(), await asked.text()).toBe(true);

    await page.goto(team.at(`jobs/${job.id}`));
    await expect(page.getByText('Olga Operator asks for approval to start v1')).toBeVisible();
    await press(page, page.getByRole('button', { name: 'Decide', exact: true }));
    const dialog = page.getByRole('dialog', { name: 'Decide on the start of Declined job, v1' });
    await expect(dialog.getByRole('heading', { name: 'State of each operator' })).toBeVisible();
    await type(page, dialog.getByLabel('A word to the person'), 'Not on a Friday');
    await expectAccessible(page);
    await press(page, dialog.getByRole('button', { name: 'Decline' }));
    await expect(dialog).toBeHidden();
    await expect(page.getByText(/declined the start of v1/)).toBeVisible();
    await expect(page.getByText('Not on a Friday')).toBeVisible();

    // Asked for again, and withdrawn, still without a mouse.
    await press(page, page.getByRole('button', { name: 'Start…' }));
    const start = page.getByRole('dialog', { name: 'Start Declined job' });
    await expect(start.getByText('This start needs approval')).toBeVisible();
    await type(page, start.getByLabel('Why it is to start'), 'On Monday then');
    await press(page, start.getByRole('button', { name: 'Ask for approval' }));
    await expect(start).toBeHidden();
    await expect(page.getByText('You asked for approval to start v1')).toBeVisible();
    await tabTo(page, page.getByRole('button', { name: 'Withdraw', exact: true }));
    await page.keyboard.press('Enter');
    await expect(page.getByText('You asked for approval to start v1')).toBeHidden();
    expect((await team.job('Declined job'))?.current).toBeUndefined();
  } finally {
    await theirs.close();
  }
});
