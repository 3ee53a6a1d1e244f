import { defineConfig } from '@playwright/test';

/** Debian's Chromium; no browser is downloaded. */
const chromium = process.env.MILLRACE_CHROMIUM ?? '/usr/bin/chromium';

export default defineConfig({
  testDir: '.',
  testMatch: ['journeys/**/*.spec.ts', 'pages/**/*.spec.ts', 'budget.spec.ts'],
  outputDir: process.env.MILLRACE_E2E_RESULTS ?? './results',
  snapshotPathTemplate: '{testDir}/{testFileDir}/{testFileName}-snapshots/{arg}{ext}',
  // Each worker has a server, a broker and engine processes of its own: two cores carry one.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: true,
  // For two cores that compile at the same time; what has to be quick is measured where it is.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
