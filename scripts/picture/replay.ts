/** Shows the log of a run (/var/log/edgeadm/*.log) on the terminal again, through edgeadm's own renderer, only quicker. */

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Event } from '../../src/output/events.ts'
import { createRenderer } from '../../src/output/renderer.ts'

/** Milliseconds between two events: the list is drawn ten times a second. */
const PAUSE = 15

const [log = ''] = process.argv.slice(2)
const renderer = await createRenderer({ output: 'text', verbosity: 0 })
for (const line of readFileSync(log, 'utf8').split('\n')) {
  if (line === '') continue
  renderer.handle(JSON.parse(line) as Event)
  await sleep(PAUSE)
}
await renderer.close()
