/** The list of jobs: filters in the address, counters as filters, selection with a result for each job. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { Team } from '../fixtures/team.ts';

test('jobs: title, address, state in words, axe in both themes', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  const job = await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('jobs'));
  await expect(page).toHaveTitle('Jobs · Millrace');
  await expect(page.getByRole('heading', { level: 1, name: 'Jobs' })).toBeVisible();
  const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: job.name, exact: true }) });
  await expect(row).toContainText('running');
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "Jobs" [level=1]
      - link "New job"
      - search:
        - searchbox "Name, description, tag, owner"
      - text: /sorted \\d+ s ago/
      - button "Sort again"
      - group "Filter by state":
        - button /running \\d+/
      - table "Jobs":
        - rowgroup:
          - row /Select all \\d+ jobs Name State, seen Records\\/s .* Lag Owner Tags Changed Actions/
        - rowgroup:
          - row /Select Bids by channel Bids by channel running/:
            - cell "Select Bids by channel"
            - rowheader "Bids by channel"
            - cell "Actions for Bids by channel"
  `);
  await expectAccessible(page);
  await takePictures(page, 'jobs');
  await page.evaluate(() => (document.documentElement.dataset.theme = 'dark'));
  await expectAccessible(page);
});

test('jobs: filters stand in the address and come back', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('jobs'));
  await page.getByRole('searchbox', { name: 'Name, description, tag, owner' }).fill('channel');
  await expect(page).toHaveURL(/[?&]q=channel/);
  await page.getByRole('group', { name: 'Filter by state' }).getByRole('button', { name: /running/ }).click();
  await expect(page).toHaveURL(/[?&]state=running/);
  await expect(page.getByRole('link', { name: 'Bids by channel', exact: true })).toBeVisible();

  await page.reload();
  await expect(page.getByRole('searchbox')).toHaveValue('channel');
  await expect(page.getByRole('group', { name: 'Filter by state' }).getByRole('button', { name: /running/ })).toHaveAttribute(
    'aria-pressed',
    'true',
  );

  await page.getByRole('searchbox').fill('no such job anywhere');
  await expect(page.getByRole('heading', { name: 'No job matches' })).toBeVisible();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(page).not.toHaveURL(/[?&]q=/);
  await expect(page.getByRole('link', { name: 'Bids by channel', exact: true })).toBeVisible();
});

test('jobs: a disabled action says why, and a selection names what it would stop', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('jobs'));
  await page.getByRole('checkbox', { name: 'Select Bids by channel' }).check();
  const bar = page.getByRole('region', { name: '1 job selected' });
  await expect(bar.getByRole('button', { name: /^Start/ })).toHaveAttribute('aria-disabled', 'true');
  await expect(bar.getByRole('button', { name: /^Start/ })).toHaveAttribute('title', 'None of them can be started now.');
  await bar.getByRole('button', { name: /^Stop/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Stop 1 job' });
  await expect(dialog.getByRole('listitem')).toHaveText('Bids by channel');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  expect((await team.job('Bids by channel'))?.current?.state).toBe('running');
});

test('jobs: a head sorts, once more turns it round, and the order stands in the address', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  await page.goto(team.at('jobs'));
  const names = page.getByRole('table', { name: 'Jobs' }).getByRole('rowheader');
  await expect(names.first()).toBeVisible();
  const head = page.getByRole('columnheader', { name: 'Name' });
  await head.getByRole('button').click();
  await expect(page).toHaveURL(/[?&]sort=name/);
  await expect(head).toHaveAttribute('aria-sort', 'ascending');
  // As the server compares: small letters, one by one, in no language.
  const small = (name: string) => name.toLowerCase();
  const sorted = (await names.allInnerTexts()).sort((a, b) => Number(small(a) > small(b)) - Number(small(a) < small(b)));
  await expect(names).toHaveText(sorted);
  await head.getByRole('button').click();
  await expect(head).toHaveAttribute('aria-sort', 'descending');
  await expect(names).toHaveText([...sorted].reverse());
  await page.reload();
  await expect(names).toHaveText([...sorted].reverse());
  await head.getByRole('button').click();
  await expect(page).not.toHaveURL(/sort=/);
});
