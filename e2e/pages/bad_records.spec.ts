/** Records that a job could not decode: seen on the table, tried again, replayed with other bytes, dismissed by keys. */
import { expect, expectAccessible, takePictures, test } from '../fixtures/app.ts';
import { unique } from '../fixtures/names.ts';
import { until } from '../fixtures/server.ts';
import type { Team } from '../fixtures/team.ts';

interface Page<T> {
  items: T[];
  total: number;
}

interface BadRecord {
  id: string;
  offset: number;
}

async function connectionOf(team: Team): Promise<string> {
  const { items } = await team.get<Page<{ id: string; kind: string; built_in: boolean }>>('connections');
  const kafka = items.find((connection) => connection.kind === 'kafka' && connection.built_in);
  if (kafka === undefined) throw new Error('the team has no connection to the broker of the server');
  return kafka.id;
}

function table(name: string, connection: string, format: string, column: [string, string], options: Record<string, string>) {
  const columns = [{ name: column[0], data_type: column[1], kind: 'physical', nullable: true }];
  return { database: 'main', name, connector: 'kafka', connection, format, options, columns };
}

/** A topic with good and bad records, a table over it, and a job that reads it. */
async function prepare(team: Team): Promise<{ id: string; topic: string; job: string }> {
  const connection = await connectionOf(team);
  const topic = unique('bad', '-');
  await team.post(`connections/${connection}/topics`, { name: topic, partitions: 1 });
  await team.post('tables', table('lines', connection, 'raw', ['line', 'STRING'], { topic }));
  const options = { topic, 'scan.startup.mode': 'earliest-offset', 'decode.on-error': 'skip' };
  const { id } = await team.post<{ id: string }>('tables', table('orders', connection, 'json', ['amount', 'INT'], options));
  const lines = `INSERT INTO lines VALUES ('{"amount":1}'), ('{"amount":"twelve"}'), ('{"amount":'), ('{"amount":2}');`;
  const writer = await team.post<{ id: string }>('jobs', { name: 'Writes lines', sql: lines });
  await team.post(`jobs/${writer.id}/start`, { from: 'fresh' });
  await team.jobIs('Writes lines', 'finished');
  const sql = `CREATE TEMPORARY TABLE nowhere (amount INT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT amount FROM orders;`;
  const job = await team.post<{ id: string }>('jobs', { name: 'Reads orders', sql });
  await team.post(`jobs/${job.id}/start`, { from: 'fresh' });
  await until('both bad records are kept', 60_000, async () => {
    return (await team.get<Page<BadRecord>>(`tables/${id}/bad-records`)).total === 2;
  });
  return { id, topic, job: job.id };
}

test('bad records: none yet says what becomes of them', async ({ page, ownTeam: team }) => {
  const columns = [{ name: 'id', data_type: 'BIGINT', kind: 'physical', nullable: true }];
  const draft = { database: 'main', name: 'quiet', connector: 'datagen', options: {}, columns };
  const { id } = await team.post<{ id: string }>('tables', draft);
  await page.goto(team.at(`tables/${id}/bad-records`));
  await expect(page.getByRole('heading', { name: 'No bad record is kept' })).toBeVisible();
  await expect(page.getByText('decode.on-error')).toBeVisible();
  await expectAccessible(page);
});

test('bad records: looked at, decoded again, replayed with other bytes, and dismissed by keys', async ({ page, ownTeam: team }) => {
  test.setTimeout(180_000);
  const { id, topic, job } = await prepare(team);

  // The way there: from the figure of the job.
  await page.goto(team.at(`jobs/${job}`));
  const figure = page.getByRole('region', { name: 'Now' }).getByRole('link', { name: '2', exact: true });
  await expect(figure).toHaveAttribute('href', new RegExp(`/tables/${id}/bad-records$`), { timeout: 30_000 });
  await figure.click();
  await expect(page).toHaveURL(new RegExp(`/tables/${id}/bad-records$`));
  await expect(page.getByRole('navigation', { name: 'Tables' }).getByRole('link', { name: 'Bad records 2' })).toBeVisible();
  const causes = page.getByRole('table', { name: 'Causes' });
  await expect(causes.getByRole('row')).toHaveCount(3);
  const records = page.getByRole('table', { name: 'Records' });
  await expect(records.getByRole('row')).toHaveCount(3);
  await expect(records).toContainText('{"amount":"twelve"}');
  await expectAccessible(page);
  await takePictures(page, 'bad-records');

  await test.step('a cause narrows the records, and is tried again', async () => {
    const cause = causes.getByRole('row').filter({ hasText: "field 'amount': '…' is no INT" });
    await cause.getByRole('button', { name: /is no INT/ }).first().click();
    await expect(page).toHaveURL(/[?&]cause=/);
    await expect(records.getByRole('row')).toHaveCount(2);
    await cause.getByRole('button', { name: 'Decode again' }).click();
    await expect(page.getByText('0 of 1 can be decoded with the table as it is now')).toBeVisible();
    await page.getByRole('button', { name: 'All causes' }).click();
    await expect(records.getByRole('row')).toHaveCount(3);
  });

  const dialog = page.getByRole('dialog', { name: `${topic}/0 at 1` });
  await test.step('one record: bytes, reason, decode again, replay', async () => {
    await records.getByRole('button', { name: `${topic}/0 at 1` }).click();
    await expect(dialog.getByText("field 'amount': 'twelve' is no INT")).toBeVisible();
    const bytes = dialog.getByRole('region', { name: 'Bytes of the value' });
    await expect(bytes).toHaveText('{"amount":"twelve"}');
    await dialog.getByRole('button', { name: 'Hex' }).click();
    await expect(bytes).toContainText('7b 22 61 6d 6f 75 6e 74');
    await dialog.getByRole('button', { name: 'Decode again' }).click();
    await expect(dialog.getByText(/^It cannot be decoded/)).toBeVisible();
    await dialog.getByRole('button', { name: 'Replay…' }).click();
    await dialog.getByRole('textbox', { name: 'Value to write' }).fill('{"amount":12}');
    await dialog.getByRole('button', { name: 'Decode again' }).click();
    await expect(dialog.getByText('It can be decoded:')).toBeVisible();
    await expect(dialog.getByRole('cell', { name: '12', exact: true })).toBeVisible();
    await expectAccessible(page);
    await takePictures(page, 'bad-record');
    await dialog.getByRole('button', { name: 'Replay', exact: true }).click();
    await expect(page.getByText(`Written to ${topic}/0 at 4`)).toBeVisible();
    await expect(dialog.getByText('Replayed with changes by Otto Owner')).toBeVisible();
  });

  await test.step('a second time has to be asked for', async () => {
    await dialog.getByRole('button', { name: 'Replay…' }).click();
    await expect(dialog.getByRole('button', { name: /^Replay Tick/ })).toHaveAttribute('aria-disabled', 'true');
    await dialog.getByRole('checkbox', { name: /already/ }).check();
    await expect(dialog.getByRole('button', { name: 'Replay', exact: true })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(page).not.toHaveURL(/record=/);
  });

  await test.step('by keys: a record is opened and closed, a cause dismissed', async () => {
    const open = records.getByRole('button', { name: `${topic}/0 at 2` });
    await open.focus();
    await page.keyboard.press('Enter');
    const other = page.getByRole('dialog', { name: `${topic}/0 at 2` });
    await expect(other).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(other).toBeHidden();
    await expect(open).toBeFocused();

    const broken = causes.getByRole('row').filter({ hasText: 'no JSON' });
    await broken.getByRole('button', { name: 'Dismiss' }).focus();
    await page.keyboard.press('Enter');
    const sure = page.getByRole('dialog', { name: 'Dismiss this cause?' });
    await expect(sure).toContainText('no JSON');
    await sure.getByRole('button', { name: 'Dismiss' }).focus();
    await page.keyboard.press('Enter');
    await expect(causes.getByRole('row')).toHaveCount(2);
    await expect(records.getByRole('row')).toHaveCount(2);
  });
  await team.cancel('Reads orders');
});
