/** The main journey with Apache Kafka: every record exactly once. */
import { test } from '../fixtures/app.ts';
import { firstJob, WITHIN_MS } from './first-job.ts';

// Started and named by `cargo xtask test`, which also says why when there is none.
const kafka = process.env.MILLRACE_TEST_KAFKA || undefined;
test.use({ kafka });

test('from two tables to a job that survives its worker, each record exactly once', async ({ complaints, page, server }) => {
  test.skip(kafka === undefined, 'MILLRACE_TEST_KAFKA is not set');
  test.setTimeout(WITHIN_MS);
  await firstJob(page, server, complaints, 'exactly-once');
});
