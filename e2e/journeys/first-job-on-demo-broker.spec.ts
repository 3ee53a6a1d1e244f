/** The main journey with the broker that comes along: every record at least once. */
import { test } from '../fixtures/app.ts';
import { firstJob, WITHIN_MS } from './first-job.ts';

test('from two tables to a job that survives its worker', async ({ complaints, page, server }) => {
  test.setTimeout(WITHIN_MS);
  await firstJob(page, server, complaints, 'at-least-once');
});
