import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A Vulkan driver that needs no graphics card: SwiftShader, as Debian's chromium brings it. */

const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** The environment of a process that is to use it. */
export const softwareVulkan = { VK_DRIVER_FILES: driver };

/** That of a machine without any driver, whatever this one has. */
export const noVulkan = { VK_DRIVER_FILES: '/no/driver/here.json' };

/** Why it cannot be used here, or null. */
export function whyNoVulkan(): string | null {
  if (!existsSync(driver)) return 'chromium with its software Vulkan driver is not installed';
  const { stdout } = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  return stdout.includes('libvulkan.so.1') ? null : 'libvulkan1 is not installed';
}
