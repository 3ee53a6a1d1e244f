/** The search over the log lines of all jobs: words, facets, a line with those around it, errors of a kind, following. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { press, tabTo, tick, type as typeInto } from '../fixtures/keys.ts';
import { until } from '../fixtures/server.ts';
import { Team } from '../fixtures/team.ts';

interface Counts {
  total: number;
}

test('logs: found, narrowed, opened with the lines around it, and followed', async ({ signedIn: page, server, complaints }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await until('lines of the demo are indexed', 30_000, async () => {
    const { total } = await team.get<Counts>('logs/counts?q=job_name:%22Bids%20by%20channel%22');
    return total > 0;
  });
  await page.goto(team.at('overview'));
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Logs' }).click();
  await expect(page).toHaveTitle('Logs · Millrace');
  const lines = page.getByRole('group', { name: 'Log lines' });
  await expect(lines.locator('.log-line').first()).toBeVisible();
  await expect(page.getByRole('img', { name: /^Lines over time by level/ })).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'logs');

  // Facets write into the query, and out of it again.
  const jobs = page.getByRole('group', { name: 'Job', exact: true });
  await jobs.getByRole('checkbox', { name: /^Bids by channel/ }).check();
  await expect(page).toHaveURL(/job_name/);
  await expect(page.getByRole('searchbox')).toHaveValue('job_name:"Bids by channel"');
  await expect(lines.locator('.log-source').first()).toHaveText('Bids by channel');
  await expect(lines.locator('.log-source', { hasText: 'Split bids' })).toHaveCount(0);

  // A line opens, and stands among those around it; its link leads back to it.
  await lines.getByRole('button', { name: /^Details of the line of/ }).first().click();
  await expect(lines.getByText('version', { exact: true })).toBeVisible();
  await expectAccessible(page);
  await lines.getByRole('button', { name: 'Lines around it' }).click();
  await expect(page).toHaveURL(/[?&]line=/);
  const around = page.getByRole('group', { name: 'Lines around it in its run' });
  await expect(around.locator('.log-linked')).toHaveCount(1);
  await takePictures(page, 'logs-context');
  await page.reload();
  await expect(around.locator('.log-linked')).toHaveCount(1);
  await page.getByRole('button', { name: 'Back to the search' }).click();
  await expect(page).not.toHaveURL(/[?&]line=/);

  // A query that cannot be read says where.
  complaints.expect(/400/);
  await page.getByRole('searchbox').fill('level:>=loud');
  await page.getByRole('searchbox').press('Enter');
  await expect(page.getByText(/at the characters \d+–\d+ of the query/).first()).toBeVisible();
  await page.getByRole('searchbox').fill('nothing-says-this-anywhere');
  await page.getByRole('searchbox').press('Enter');
  await expect(page.getByRole('heading', { name: 'No line matches' })).toBeVisible();

  await page.getByRole('searchbox').fill('');
  await page.getByRole('searchbox').press('Enter');
  await page.getByRole('button', { name: 'Errors', exact: true }).click();
  await expect(page).toHaveURL(/view=errors/);
  await expect(page.getByRole('table', { name: 'Errors of the same kind' }).or(page.getByRole('heading', { name: 'No errors' }))).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Lines', exact: true }).click();

  // What a job writes from now on comes by itself.
  await page.getByRole('button', { name: 'Follow' }).click();
  const followed = page.getByRole('log', { name: 'New lines appear on top.' });
  await expect(page.getByRole('button', { name: 'Follow' })).toHaveAttribute('aria-pressed', 'true');
  const job = await team.job('Log lines by job');
  await team.post(`jobs/${job?.id}/stop`, { mode: 'savepoint' });
  await expect(followed.locator('.log-line').first()).toBeVisible({ timeout: 30_000 });
  await expectAccessible(page);
  await team.jobIs('Log lines by job', 'stopped');
  await team.post(`jobs/${job?.id}/start`, { from: 'latest' });
  await team.jobIs('Log lines by job', 'running');
});

test('logs by keys: a search, a facet, a line', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Split bids', 'running');
  await page.goto(team.at('logs'));
  await expect(page.getByRole('group', { name: 'Log lines' }).locator('.log-line').first()).toBeVisible({ timeout: 30_000 });
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await typeInto(page, page.getByRole('searchbox'), 'job_name:"Split bids"');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/Split/);
  const levels = page.getByRole('group', { name: 'Level', exact: true });
  await tick(page, levels.getByRole('checkbox', { name: /^info/ }));
  await expect(page).toHaveURL(/level/);
  const lines = page.getByRole('group', { name: 'Log lines' });
  const line = lines.getByRole('button', { name: /^Details of the line of/ }).first();
  await tabTo(page, line);
  await page.keyboard.press('Enter');
  await expect(line).toHaveAttribute('aria-expanded', 'true');
  await press(page, lines.getByRole('button', { name: 'Lines around it' }));
  await expect(page.getByRole('group', { name: 'Lines around it in its run' }).locator('.log-linked')).toHaveCount(1);
  await expectAccessible(page);
});
