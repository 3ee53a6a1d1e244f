/**
 * The main journey: two tables by form, SQL with an error that is fixed where it stands, preview, start, rows and logs,
 * a worker that dies and comes back by itself, stop with savepoint, start from it, and a topic that holds every record.
 */
import type { Page } from '@playwright/test';
import { expect, expectAccessible, takePictures, until, type Server } from '../fixtures/app.ts';
import type { Complaints } from '../fixtures/console.ts';
import { write } from '../fixtures/editor.ts';
import { unique } from '../fixtures/names.ts';
import { Team } from '../fixtures/team.ts';

/** Numbers 1 to this are written into the input topic, slowly enough that the worker dies in the middle. */
const LAST = 24_000;
const PER_SECOND = 300;
/** As many messages as the topic browser answers at once. */
const PAGE = 500;

/** What the broker of the server can promise, and so what the output must hold. */
export type Guarantee = 'at-least-once' | 'exactly-once';

/** Longer than any journey takes on two busy cores. */
export const WITHIN_MS = 420_000;

export async function firstJob(page: Page, server: Server, complaints: Complaints, guarantee: Guarantee): Promise<void> {
  const team = new Team(page, server);
  // Figures are asked for between the end of the run and its page hearing of it.
  complaints.expect(/404 .*\/figures\)/);
  const [numbers, evens, job] = [unique('numbers', '_'), unique('even_numbers', '_'), unique('even', '_')];
  const [input, output] = [unique('e2e.numbers', '-'), unique('e2e.even-numbers', '-')];

  await page.goto('/');
  await page.getByRole('button', { name: 'Continue as demo user' }).click();
  await expect(page).toHaveURL(/\/t\/demo\/overview/);
  await expectAccessible(page);

  const connection = await demoConnection(team);
  for (const name of [input, output]) {
    await team.post(`connections/${connection}/topics`, { name, partitions: 2 });
  }
  await createTable(page, team, numbers, input);
  await createTable(page, team, evens, output, guarantee);
  await feed(team, server, numbers);

  // SQL with an error, seen at its place and fixed there.
  await page.goto(team.at('editor'));
  await write(page, `INSERT INTO ${evens}\nSELECT idd FROM ${numbers} WHERE MOD(id, 2) = 0;`);
  const problem = page.getByRole('region', { name: 'Problems' }).getByRole('button');
  await expect(problem).toContainText('line 2, column 8');
  await expect(page.locator('.cm-lintRange-error')).toHaveText('idd');
  await expectAccessible(page);
  await problem.click();
  await expect.poll(() => page.evaluate(() => document.getSelection()?.toString())).toBe('idd');
  await page.keyboard.insertText('id');
  await expect(page.getByText('No problems found.')).toBeVisible();

  // Preview: live rows, nothing written.
  await page.keyboard.press('Control+Enter');
  const rows = page.getByRole('grid', { name: 'Result rows' });
  await expect(rows.getByRole('gridcell', { name: '+I' }).first()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/Nothing is written/).first()).toBeVisible();
  await takePictures(page, 'journey-preview');

  // Save as a job and start it.
  await page.getByRole('button', { name: 'Save as job…' }).click();
  const create = page.getByRole('dialog', { name: 'Save as job' });
  await create.getByRole('textbox', { name: 'Name' }).fill(job);
  await expectAccessible(page);
  await create.getByRole('button', { name: 'Create job' }).click();
  await expect(page).toHaveURL(/\/editor\/[0-9a-f-]{36}/);
  await page.getByRole('button', { name: 'Start…' }).click();
  const start = page.getByRole('dialog', { name: `Start ${job}` });
  await expect(start.getByText(guarantee === 'exactly-once' ? /Exactly-once/ : /At-least-once/)).toBeVisible();
  await expectAccessible(page);
  await takePictures(page, 'start-dialog');
  await start.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f-]{36}/);

  // Rows, lag, throughput, logs.
  const state = page.locator('.state-pill');
  await expect(state).toHaveAttribute('data-state', 'running', { timeout: 30_000 });
  const now = page.getByRole('region', { name: 'Now' });
  await expect(fact(now, 'Read')).toContainText(/[1-9].*\/s/, { timeout: 30_000 });
  await expect(fact(now, 'Records behind')).toContainText(/\d/);
  await expect(page.getByRole('region', { name: 'Lag per partition' })).toContainText(numbers);
  await expectAccessible(page);
  await takePictures(page, 'journey-running');
  await page.getByRole('navigation', { name: 'Job' }).getByRole('link', { name: 'Logs' }).click();
  await expect(page.getByRole('log').getByRole('button', { name: /^Details/ }).first()).toBeVisible();
  await page.getByRole('navigation', { name: 'Job' }).getByRole('link', { name: 'Overview' }).click();

  // The worker dies; the console says so; the job goes on by itself.
  const before = await team.jobIs(job, 'running');
  const worker = server.workers().find((candidate) => candidate.run === before.current?.run);
  expect(worker, 'the worker of the run').toBeDefined();
  process.kill(worker?.pid ?? 0, 'SIGKILL');
  await expect(state).toHaveAttribute('data-state', 'recovering', { timeout: 30_000 });
  await expect(page.getByText('The worker was lost. The job recovers by itself.')).toBeVisible();
  await expect(state).toHaveAttribute('data-state', 'running', { timeout: 60_000 });
  await expect(page.getByText(/1 restart since this run began/)).toBeVisible();
  expect((await team.job(job))?.current?.attempt).toBeGreaterThan(before.current?.attempt ?? 0);

  // Stop with a savepoint, start from it.
  await page.getByRole('button', { name: 'Stop…' }).click();
  const stop = page.getByRole('dialog', { name: `Stop ${job}` });
  await expect(stop).toBeVisible();
  await takePictures(page, 'stop-dialog');
  await stop.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(state).toHaveAttribute('data-state', 'stopped', { timeout: 60_000 });
  await expect(page.getByRole('navigation', { name: 'Job' }).getByRole('link', { name: /^Savepoints\s*1/ })).toBeVisible();
  await page.getByRole('button', { name: 'Start…' }).click();
  const again = page.getByRole('dialog', { name: `Start ${job}` });
  await again.getByRole('radio', { name: 'A savepoint' }).check();
  await expect(again.getByText('All state is kept.')).toBeVisible();
  await takePictures(page, 'start-from-savepoint');
  await again.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(state).toHaveAttribute('data-state', 'running', { timeout: 60_000 });
  await page.getByRole('navigation', { name: 'Job' }).getByRole('link', { name: /^Runs/ }).click();
  await expect(page.getByRole('table', { name: 'Runs' }).getByRole('row')).toHaveCount(3);

  // Every even number is in the output, and where the broker has transactions, no second time.
  const wanted = LAST / 2;
  const written = new Output(team, connection, output);
  await until(`${wanted} even numbers are in the output topic`, 150_000, async () => {
    await written.read();
    return written.times.size >= wanted;
  });
  expect(written.times.size).toBe(wanted);
  expect([...written.times.keys()].every((number) => number % 2 === 0 && number >= 1 && number <= LAST)).toBe(true);
  if (guarantee === 'exactly-once') {
    expect([...written.times].filter(([, times]) => times > 1)).toEqual([]);
  }
  await team.cancel(job);
}

function fact(region: ReturnType<Page['getByRole']>, name: string) {
  return region.locator(`dt:text-is("${name}") + dd`);
}

async function demoConnection(team: Team): Promise<string> {
  const { items } = await team.get<{ items: { id: string; kind: string; built_in: boolean }[] }>('connections');
  const kafka = items.find((connection) => connection.kind === 'kafka' && connection.built_in);
  if (kafka === undefined) throw new Error('the demo team has no connection to the broker of the server');
  return kafka.id;
}

/** A Kafka table with the one column `id`, by form; `guarantee` where it is written. */
async function createTable(page: Page, team: Team, name: string, topic: string, guarantee?: Guarantee): Promise<void> {
  await page.goto(team.at('tables/new'));
  await page.getByRole('radio', { name: /^Kafka source/ }).click();
  const topicField = page.getByRole('combobox', { name: /^Topic/ });
  await topicField.fill(topic);
  await page.getByRole('button', { name: 'Add column' }).click();
  await page.getByRole('textbox', { name: 'Column' }).fill('id');
  await page.getByRole('combobox', { name: 'Type' }).fill('BIGINT');
  const nameField = page.getByRole('textbox', { name: /^Name/ });
  await nameField.fill(name);
  await page.getByText('More options').first().click();
  await page.getByRole('combobox', { name: /^Start at/ }).selectOption('earliest-offset');
  if (guarantee !== undefined) {
    await page.getByRole('combobox', { name: /^Guarantee/ }).selectOption(guarantee);
  }
  await page.getByRole('button', { name: 'Create table' }).click();
  await expect(page.getByRole('heading', { level: 1, name, exact: true })).toBeVisible();
}

/** A job that counts into the input topic, and is no part of what is tested. */
async function feed(team: Team, server: Server, into: string): Promise<void> {
  const [counter, name] = [unique('counter', '_'), unique('count')];
  const column = (name: string) => ({ name, data_type: 'BIGINT', kind: 'physical' });
  await team.post('tables', {
    database: 'main',
    name: counter,
    connector: 'datagen',
    options: {
      'rows-per-second': String(PER_SECOND),
      'fields.id.kind': 'sequence',
      'fields.id.start': '1',
      'fields.id.end': String(LAST),
    },
    columns: [column('id')],
  });
  const job = await team.post<{ id: string }>('jobs', { name, sql: `INSERT INTO ${into} SELECT id FROM ${counter};` });
  await team.post(`jobs/${job.id}/start`, { from: 'fresh' });
  await team.jobIs(name, 'running', 'finished');
  expect(server.pid).toBeGreaterThan(0);
}

/** The numbers in a topic and how often each is there, read page by page as the topic browser reads: only what is committed. */
class Output {
  readonly times = new Map<number, number>();
  private readonly next = new Map<number, number>();

  constructor(
    private readonly team: Team,
    private readonly connection: string,
    private readonly topic: string,
  ) {}

  /** Reads the whole topic anew. */
  async read(): Promise<void> {
    this.times.clear();
    this.next.clear();
    for (const partition of [0, 1]) {
      while (await this.readPage(partition)) {
        // The next page follows at once.
      }
    }
  }

  private async readPage(partition: number): Promise<boolean> {
    const from = this.next.get(partition) ?? 0;
    const page = await this.messages(`mode=offset&partition=${partition}&offset=${from}`);
    for (const message of page.filter((candidate) => candidate.offset >= from)) {
      const { id } = JSON.parse(message.value ?? '{}') as { id: number };
      this.times.set(id, (this.times.get(id) ?? 0) + 1);
      this.next.set(partition, Math.max(this.next.get(partition) ?? 0, message.offset + 1));
    }
    if ((this.next.get(partition) ?? 0) > from) return true;
    // A page of aborted records is empty. What lies before a committed record is decided, so it can be passed over.
    const newest = await this.messages(`mode=newest&partition=${partition}`);
    const passed = from + PAGE;
    if (!newest.some((message) => message.offset >= passed)) return false;
    this.next.set(partition, passed);
    return true;
  }

  private async messages(query: string): Promise<{ offset: number; value?: string }[]> {
    const path = `connections/${this.connection}/topics/${this.topic}/messages?${query}&limit=${PAGE}`;
    const { items } = await this.team.get<{ items: { offset: number; value?: string }[] }>(path);
    return items;
  }
}
