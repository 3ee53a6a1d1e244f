/** A server without jobs, some time after its start. */
import { test } from '@playwright/test';
import { Server } from '../fixtures/server.ts';
import { cores, memory, pause, tell } from './figures.ts';

test('idle server', async () => {
  const server = await Server.start({ MILLRACE_DEMO: 'false' });
  try {
    await pause(20);
    tell('idle server', `${memory(server.pid)}, ${await cores(server.pid, 20)}`);
    for (const { name, pid } of server.children()) {
      tell(`beside it ${name}`, `${memory(pid)}, ${await cores(pid, 10)}`);
    }
  } finally {
    await server.stop();
  }
});
