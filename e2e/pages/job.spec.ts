/** The page of a job: every tab has an address, a title, and stands an axe audit. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { unique } from '../fixtures/names.ts';
import { Team } from '../fixtures/team.ts';

const TABS = [
  'Overview', 'Metrics', 'Logs', 'Events', 'Runs', 'Versions', 'Savepoints', 'Tests', 'Schedule', 'Report', 'Permissions',
  'Settings',
];

test('job: each tab by its address, in both themes', async ({ signedIn: page, server }) => {
  test.setTimeout(420_000);
  const team = new Team(page, server);
  const job = await team.jobIs('Bids by channel', 'running');
  for (const tab of TABS) {
    await page.goto(team.at(`jobs/${job.id}/${tab.toLowerCase()}`));
    await expect(page).toHaveTitle('Bids by channel · Millrace');
    await expect(page.getByRole('heading', { level: 1, name: 'Bids by channel' })).toBeVisible();
    const tabs = page.getByRole('navigation', { name: 'Job' });
    await expect(tabs.getByRole('link', { name: new RegExp(`^${tab}`) })).toHaveAttribute('aria-current', 'page');
    await expect(page.locator('.skeleton-shape')).toHaveCount(0);
    for (const theme of ['light', 'dark']) {
      await page.evaluate((theme) => (document.documentElement.dataset.theme = theme), theme);
      await expectAccessible(page);
    }
    await takePictures(page, `job-${tab.toLowerCase()}`);
  }
});

test('job: the running graph shows figures, as a drawing and as a list', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const job = await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at(`jobs/${job.id}/overview`));
  const graph = page.getByRole('group', { name: /^Graph, \d+ operators/ });
  await expect(graph.getByRole('button').first()).toContainText('busy', { timeout: 30_000 });
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - navigation "Breadcrumb"
      - heading "Bids by channel" [level=1]
      - text: running seen
      - button /Start…/ [disabled]
      - button "Stop…"
      - button "Savepoint"
      - link "Edit SQL"
      - navigation "Job":
        - link "Overview"
        - link "Metrics"
        - link "Logs"
        - link "Events"
        - link /Runs \\d+/
        - link /Versions \\d+/
        - link /Savepoints \\d+/
        - link "Permissions"
        - link "Settings"
      - region "Graph":
        - group "Graph, 5 operators":
          - button /Kafka source main.bids/
          - button /Window aggregate/
          - button /Kafka sink/
      - region "Over time":
        - group "Time range"
        - figure "Throughput"
        - figure "Lag"
      - region "Runs":
        - table "Runs"
      - complementary:
        - region "Now":
          - term: Lag
          - term: Records behind
          - term: Complete up to
          - term: Checkpoint
        - region "Lag per partition"
        - region "Events"
  `);

  const first = graph.getByRole('button').first();
  await first.focus();
  // The ring around the node in focus is part of its box, so the middle is what stays.
  const middle = async () => {
    const box = await first.boundingBox();
    return box && [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
  };
  // Two looks that agree: it has come to rest.
  const before = await middle();
  await expect.poll(middle).toEqual(before);
  const name = (await first.getAttribute('data-node')) ?? '';
  const focused = page.locator('[data-node]:focus');
  await expect(focused).toHaveAttribute('data-node', name);
  await page.keyboard.press('ArrowRight');
  await expect(focused).toHaveCount(1);
  await expect(focused).not.toHaveAttribute('data-node', name);
  // Figures change, places do not.
  await expect.poll(middle).toEqual(before);

  await page.getByRole('button', { name: 'Show as list' }).click();
  await expect(page.getByRole('columnheader', { name: 'Records/s' })).toBeVisible();
  await expectAccessible(page);
});

test('job: a small graph is shown in full at a size that can be read', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  for (const name of ['Generate bids', 'Bids by channel', 'Split bids']) {
    const job = await team.jobIs(name, 'running');
    await page.goto(team.at(`jobs/${job.id}/overview`));
    const graph = page.getByRole('group', { name: /^Graph, \d+ operators/ });
    const nodes = graph.getByRole('button');
    await expect(nodes.first()).toContainText('busy', { timeout: 30_000 });
    // Once it has its size.
    await expect(async () => {
      const frame = await graph.boundingBox();
      for (const node of await nodes.all()) {
        const box = await node.boundingBox();
        // 150 wide by design, with text of 12 px.
        expect(box?.width).toBeGreaterThan(150 * 0.79);
        expect(box?.x).toBeGreaterThanOrEqual(frame?.x ?? 0);
        expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual((frame?.x ?? 0) + (frame?.width ?? 0));
        expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual((frame?.y ?? 0) + (frame?.height ?? 0));
      }
    }).toPass({ timeout: 20_000 });
    await takePictures(page, `job-graph-${name.split(' ')[0]?.toLowerCase()}`);
  }
});

test('job: lag in time is there, or it says why not', async ({ signedIn: page, server, complaints }) => {
  test.setTimeout(240_000);
  // Figures are asked for between the end of a run and its page hearing of it.
  complaints.expect(/404 .*\/figures\)/);
  const team = new Team(page, server);
  const lag = page.getByRole('region', { name: 'Now' }).locator('dt:text-is("Lag") + dd');
  const generator = await team.jobIs('Generate bids', 'running');
  await page.goto(team.at(`jobs/${generator.id}/overview`));
  await expect(lag).toHaveText('no event time', { timeout: 30_000 });
  // A topic without event time: the age of its records is measured.
  const sql = 'INSERT INTO bids_other SELECT auction, bidder, \'-\', price, bid_time FROM bids_high WHERE price < 0;';
  const name = unique('plain', '_');
  const job = await team.post<{ id: string }>('jobs', { name, sql });
  await team.post(`jobs/${job.id}/start`, { from: 'fresh' });
  await team.jobIs(name, 'running');
  await page.goto(team.at(`jobs/${job.id}/overview`));
  await expect(lag).toHaveText(/^\d.* m?s$/, { timeout: 60_000 });
  await team.cancel(name);
});

test('job: a chart is a table too, and a range is an address', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const job = await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at(`jobs/${job.id}/overview`));
  await page.getByRole('button', { name: 'Throughput as a table' }).click();
  await expect(page.getByRole('region', { name: 'Values, newest first' }).getByRole('row').nth(1)).toBeVisible({ timeout: 30_000 });
  await page.getByRole('group', { name: 'Time range' }).getByRole('button', { name: 'Last 15 min' }).click();
  await expect(page).toHaveURL(/range=15m/);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Last 15 min' })).toHaveAttribute('aria-pressed', 'true');
});

test('job: log lines arrive, are filtered, and have an address', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const job = await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at(`jobs/${job.id}/logs`));
  const log = page.getByRole('log', { name: 'Log lines' });
  const open = log.getByRole('button', { name: /^Details of the line/ });
  await expect(open.first()).toBeVisible({ timeout: 30_000 });
  await open.first().click();
  await expect(log.getByText('worker', { exact: true })).toBeVisible();
  await page.getByRole('group', { name: 'Least severity' }).getByRole('button', { name: 'error' }).click();
  await expect(page).toHaveURL(/level=error/);
});

test('job: the start button says why it cannot be pressed', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const job = await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at(`jobs/${job.id}/overview`));
  const start = page.getByRole('button', { name: /^Start/ });
  await expect(start).toHaveAttribute('aria-disabled', 'true');
  await expect(start).toHaveAttribute('title', /runs already/);
  await page.getByRole('button', { name: 'Stop…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Stop Bids by channel' });
  await expect(dialog.getByRole('radio', { name: 'With a savepoint' })).toBeChecked();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});
