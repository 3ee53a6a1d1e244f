/** `cargo xtask measure`: figures for docs/performance.md. Nothing here can fail for being slow. */
import { defineConfig } from '@playwright/test';
import tests from './playwright.config.ts';

export default defineConfig({
  ...tests,
  testMatch: ['measure/**/*.measure.ts'],
  timeout: 300_000,
  use: { ...tests.use, trace: 'off' },
});
