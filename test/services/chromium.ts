import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** The Chromium of the system, for pages that are looked at as a reader would. */

const executables = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Why there is no browser here, or null. */
export function whyNoChromium(): string | null {
  return executables.some((path) => existsSync(path)) ? null : 'chromium is not installed';
}

export function startChromium(): Promise<Browser> {
  const executablePath = executables.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('chromium is not installed');
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
