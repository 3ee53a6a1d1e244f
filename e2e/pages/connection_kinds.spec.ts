/** Connections to object stores, mail servers and HTTP servers: their forms, what is wrong in them, their page. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { unique } from '../fixtures/names.ts';
import { Team } from '../fixtures/team.ts';

test('connection form: an HTTP server asks for what its way of signing in needs, and shows no secret', async ({ complaints, signedIn: page, server }) => {
  // What is refused is told at its field.
  complaints.expect(/400/);
  const team = new Team(page, server);
  const name = unique('hooks');
  await page.goto(team.at('connections/new'));
  await page.getByLabel('Kind').selectOption({ label: 'HTTP server' });
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Address').fill('https://hooks.example/services');
  await page.getByLabel('Authentication').selectOption({ label: 'a header of its own' });
  await page.getByLabel('Header', { exact: true }).fill('no header');
  await page.getByLabel('Value of the header').fill('s3cret-of-hooks');
  await page.getByRole('button', { name: 'Create connection' }).click();
  await expect(page.getByText('Enter the name of a header, such as X-Api-Key.')).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel('Header', { exact: true }).fill('X-Api-Key');
  await takePictures(page, 'connection-http');
  await page.getByRole('button', { name: 'Create connection' }).click();

  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await expect(page.getByRole('main')).toContainText('https://hooks.example/services');
  // Nothing lies behind it that could be listed.
  await expect(page.getByRole('navigation', { name: 'Connections' }).getByRole('link')).toHaveText(['Properties']);
  await expect(page.getByRole('main')).toContainText('X-Api-Key');
  await expect(page.getByRole('main')).not.toContainText('s3cret');
  await expectAccessible(page);
});

test('connection form: object stores and mail servers have fields of their own', async ({ complaints, signedIn: page, server }) => {
  // What is refused is told at its field.
  complaints.expect(/400/);
  const team = new Team(page, server);
  const name = unique('lake');
  await page.goto(team.at('connections/new?kind=object_store'));
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Bucket', { exact: true }).fill('Not A Bucket');
  await page.getByLabel('Access key ID').fill('AK1');
  await page.getByRole('button', { name: 'Create connection' }).click();
  await expect(page.getByText(/^Enter the name of a bucket/)).toBeVisible();
  await expect(page.getByText('Enter the secret of this access key.')).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'connection-object-store');
  await page.getByLabel('Bucket', { exact: true }).fill('events');
  await page.getByLabel('Secret access key').fill('s3cret-of-lake');
  await page.getByRole('button', { name: 'Create connection' }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await expect(page.getByRole('main')).toContainText('s3://events');

  await page.goto(team.at('connections/new?kind=smtp'));
  await page.getByLabel('Security').selectOption({ label: 'encrypted from the start (TLS)' });
  await expect(page.getByLabel('Port')).toHaveAttribute('placeholder', '465');
  await page.getByLabel('Sender').fill('nobody');
  await page.getByRole('button', { name: 'Create connection' }).click();
  await expect(page.getByText(/^Enter the sender/)).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'connection-smtp');
});
