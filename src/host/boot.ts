import { readFile } from 'node:fs/promises'

let current: Promise<string> | undefined

/** The kernel's name of this boot, a new one each time. random(4). */
export async function bootId(): Promise<string> {
  current ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim())
  return current
}
