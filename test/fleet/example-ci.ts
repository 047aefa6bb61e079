/** node ci.ts cluster.yaml: sets the cluster up, runs the project's tests against it, and takes it down. */

import { execFileSync } from 'node:child_process'
import { apply, type EventBody, outcomeError, reset } from 'edgeadm'

const [file = 'cluster.yaml'] = process.argv.slice(2)
const reporting = {
  signal: AbortSignal.timeout(30 * 60_000),
  emit: (event: EventBody) => {
    if (event.type === 'warning') console.warn(event.text)
    // The hosts' own phases have their host's name.
    if (event.type === 'phase' && event.state === 'failed')
      console.error(`${event.host}: ${event.title}: ${event.reason}`)
  },
}

try {
  const { outcomes, text } = await apply({ file, json: true, reporting })
  console.log(text)
  const error = outcomeError(outcomes)
  if (error !== undefined) throw error
  execFileSync('npm', ['run', 'my-tests'], { stdio: 'inherit' })
} finally {
  await reset({ file, confirm: async () => true, reporting })
}
