/** From the click on Start to the word "running" on the same page; and what an idle worker takes. */
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/app.ts';
import { Team } from '../fixtures/team.ts';
import { cores, memory, pause, spread, tell } from './figures.ts';

const ROUNDS = 10;

test('job start', async ({ complaints, signedIn: page, server }) => {
  // Asked for between the end of a run and its page hearing of it.
  complaints.expect(/404 .*\/figures\)/);
  const team = new Team(page, server);
  const { items } = await team.get<{ items: { id: string; kind: string }[] }>('connections');
  const connection = items.find((known) => known.kind === 'kafka')?.id ?? '';
  await team.post(`connections/${connection}/topics`, { name: 'measure.idle', partitions: 2 });
  const columns = [{ name: 'id', data_type: 'BIGINT', kind: 'physical' }];
  const options = { topic: 'measure.idle', 'scan.startup.mode': 'earliest-offset' };
  await team.post('tables', { database: 'main', name: 'quiet', connector: 'kafka', format: 'json', connection, options, columns });
  await team.post('tables', { database: 'main', name: 'nowhere', connector: 'blackhole', options: {}, columns });
  const job = await team.post<{ id: string }>('jobs', { name: 'measured', sql: 'INSERT INTO nowhere SELECT id FROM quiet;' });

  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await page.goto(team.at(`jobs/${job.id}`));
    took.push(await startByClick(page));
    if (round === ROUNDS - 1) break;
    await team.post(`jobs/${job.id}/stop`, { mode: 'cancel' });
    await team.jobIs('measured', 'stopped');
  }
  tell('job start, from click to running', spread(took));

  const run = (await team.job('measured'))?.current?.run;
  const worker = server.workers().find((candidate) => candidate.run === run);
  if (worker === undefined) throw new Error('the job has no worker');
  await pause(15);
  tell('idle worker', `${memory(worker.pid)}, ${await cores(worker.pid, 20)}`);
});

async function startByClick(page: Page): Promise<number> {
  await page.getByRole('button', { name: 'Start…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Start measured' });
  const start = dialog.getByRole('button', { name: 'Start', exact: true });
  await expect(start).toBeEnabled();
  await page.evaluate(() => {
    const mark = () => performance.mark('clicked');
    document.addEventListener('click', mark, { capture: true, once: true });
  });
  await start.click();
  const running = await page.waitForFunction(
    () => {
      const clicked = performance.getEntriesByName('clicked').at(-1);
      const pill = document.querySelector<HTMLElement>('.state-pill');
      return clicked !== undefined && pill?.dataset.state === 'running' && performance.now() - clicked.startTime;
    },
    undefined,
    { polling: 'raf' },
  );
  return (await running.jsonValue()) as number;
}
