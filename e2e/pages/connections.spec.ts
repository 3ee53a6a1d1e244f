/** Connections, the form that makes one, and the topic browser. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { setTheme } from '../fixtures/picture.ts';
import { Team } from '../fixtures/team.ts';

interface Listed {
  items: { id: string; name: string; demo: boolean }[];
}

async function demoBroker(team: Team): Promise<string> {
  const { items } = await team.get<Listed>('connections');
  const found = items.find((known) => known.demo);
  if (found === undefined) throw new Error('the demo broker is not among the connections');
  return found.id;
}

test('connections: title, the demo broker is called one, axe in both themes', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('connections'));
  await expect(page).toHaveTitle('Connections · Millrace');
  const row = page.getByRole('row').filter({ hasText: 'demo broker' });
  await expect(row).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'connections');
  await setTheme(page, 'dark');
  await expectAccessible(page);
  await row.getByRole('link').first().click();
  await expect(page.getByRole('note')).toContainText('at-least-once');
});

test('connection: topics with search, groups and properties are tabs with addresses', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  const id = await demoBroker(team);
  await page.goto(team.at(`connections/${id}`));
  const topics = page.getByRole('table', { name: 'Topics' });
  await expect(topics.getByRole('link', { name: 'demo.bids', exact: true })).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'connection');
  await page.getByRole('searchbox').fill('per-10s');
  await expect(topics.getByRole('link', { name: 'demo.bids', exact: true })).toBeHidden();
  await expect(page).toHaveURL(/[?&]q=per-10s/);

  const tabs = page.getByRole('navigation', { name: 'Connections' });
  await tabs.getByRole('link', { name: 'Consumer groups' }).click();
  await expect(page).toHaveURL(/\/groups$/);
  await expectAccessible(page);
  await tabs.getByRole('link', { name: 'Properties' }).click();
  await expect(page).toHaveURL(/\/properties$/);
  await page.getByRole('button', { name: 'Test connection' }).click();
  await expect(page.getByText('It answers.')).toBeVisible();
  await expectAccessible(page);
});

test('topic: messages arrive, one opens, modes and filter stand in the address', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await team.jobIs('Bids by channel', 'running');
  const id = await demoBroker(team);
  await page.goto(team.at(`connections/${id}/topics/demo.bids`));
  await expect(page).toHaveTitle('demo.bids · Millrace');
  const messages = page.getByRole('table', { name: 'Messages' });
  await expect(messages).toBeVisible();
  await messages.getByRole('button', { name: /^Show message/ }).first().click();
  await expect(page.getByRole('heading', { name: 'Headers' })).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'topic');

  // Live: new ones come by themselves, an open one holds them.
  await page.getByRole('group', { name: 'Which messages' }).getByRole('button', { name: 'Live' }).click();
  await expect(page).toHaveURL(/[?&]mode=live/);
  const newest = messages.getByRole('rowheader').first();
  const seen = await newest.innerText();
  await expect(newest).not.toHaveText(seen);
  await messages.getByRole('button', { name: /^Show message/ }).first().click();
  await expect(page.getByText(/held while one is open/)).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Headers' })).toBeVisible();

  await page.getByRole('group', { name: 'Which messages' }).getByRole('button', { name: 'Oldest' }).click();
  await expect(page).toHaveURL(/[?&]mode=oldest/);
  await expect(messages).toBeVisible();
  await page.getByRole('searchbox').fill('no message holds this');
  await expect(page).toHaveURL(/[?&]contains=no%20message/);
  await expect(page.getByRole('heading', { name: 'No message' })).toBeVisible();
  await page.getByRole('navigation', { name: 'Topic' }).getByRole('link', { name: /Partitions/ }).click();
  await expect(page.getByRole('table', { name: 'Partitions' })).toBeVisible();
  await expectAccessible(page);
});

test('connection form: a test that fails says at which step, a password is asked where one is needed', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('connections/new'));
  await expect(page).toHaveTitle('New connection · Millrace');
  await page.getByRole('textbox', { name: 'Name' }).fill('nowhere');
  await page.getByRole('textbox', { name: 'Broker addresses' }).fill('127.0.0.1:1');
  await page.getByRole('combobox', { name: 'Security' }).selectOption('SASL_PLAINTEXT');
  await expect(page.getByRole('textbox', { name: 'Password' })).toHaveAttribute('type', 'password');
  await expectAccessible(page);
  await takePictures(page, 'connection-form');
});
