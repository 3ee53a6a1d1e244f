/** A connection to PostgreSQL, and a table described through it. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { Team } from '../fixtures/team.ts';

test('connection form: kinds ask for what they need', async ({ signedIn: page, server }) => {
  const team = new Team(page, server);
  await page.goto(team.at('connections/new'));
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('postgresql');
  await expect(page.getByRole('textbox', { name: 'Host' })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Broker addresses' })).toBeHidden();
  await expectAccessible(page);
  await takePictures(page, 'connection-form-database');
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('schema_registry');
  await expect(page.getByRole('textbox', { name: 'Address' })).toBeVisible();
  await expectAccessible(page);
});

test('connection: PostgreSQL is tried step by step, and a table is fetched through it', async ({ signedIn: page, server }) => {
  const url = process.env['MILLRACE_TEST_POSTGRES_URL'];
  test.skip(url === undefined || url === '', 'no PostgreSQL (MILLRACE_TEST_POSTGRES_URL is not set)');
  const place = new URL(url ?? 'postgres://nobody@nowhere/none');
  const team = new Team(page, server);
  const name = `shop ${Date.now()}`;
  await page.goto(team.at('connections/new?kind=postgresql'));
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('textbox', { name: 'Host' }).fill(place.hostname);
  await page.getByRole('textbox', { name: /^Port/ }).fill(place.port);
  await page.getByRole('textbox', { name: 'Database' }).fill(place.pathname.slice(1));
  await page.getByRole('textbox', { name: 'User' }).fill(decodeURIComponent(place.username));
  await page.getByRole('textbox', { name: /^Password/ }).fill(decodeURIComponent(place.password) || 'unused');
  await page.getByRole('button', { name: 'Test connection' }).click();
  await expect(page.getByText('It answers.')).toBeVisible();
  for (const step of ['Resolve name', 'Connect', 'Sign in', 'May read']) {
    await expect(page.getByText(step, { exact: true })).toBeVisible();
  }
  await page.getByRole('button', { name: 'Create connection' }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  const tabs = page.getByRole('navigation', { name: 'Connections' });
  await expect(tabs.getByRole('link', { name: 'Tables and views' })).toBeVisible();
  await expect(tabs.getByRole('link', { name: 'Consumer groups' })).toHaveCount(0);
  await expectAccessible(page);
  await tabs.getByRole('link', { name: 'Properties' }).click();
  await page.getByRole('button', { name: 'Test connection' }).click();
  await expect(page.getByText('It answers.')).toBeVisible();

  // A table that every PostgreSQL has; it is named with its schema.
  const { items } = await team.get<{ items: { id: string; name: string }[] }>('connections');
  const id = items.find((known) => known.name === name)?.id;
  await page.goto(team.at(`tables/new?connector=postgres&connection=${id}&object=pg_catalog.pg_type`));
  await expect(page.getByRole('textbox', { name: /^Host/ })).toHaveCount(0);
  await page.getByRole('button', { name: 'Fetch columns' }).click();
  await expect(page.getByText(/columns, The catalog of PostgreSQL/)).toBeVisible();
  await expect(page.getByRole('region', { name: 'Statement' })).toContainText('typname');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Create table' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'pg_type' })).toBeVisible();
  await expect(page.getByRole('complementary', { name: 'Facts' })).toContainText(name);
});
