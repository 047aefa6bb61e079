import type { Look } from '../../host/host.ts'
import { LITE } from '../../superedge/paths.ts'
import { restartedContainers } from './containers.ts'
import { causesFirst, lastErrors, unitProperties } from './units.ts'

/** Containers worth a line at most. */
const CONTAINERS = 6

/**
 * The likely cause of a failure or a time-out on this machine, one line each: state of the units, the last errors in the
 * kubelet's, lite-apiserver's and containerd's journals, containers that ended. Only looks; never fails itself.
 */
export async function diagnose(host: Look): Promise<string[]> {
  const found: string[] = []
  const between = (await host.stat(LITE.unitFile)) === undefined ? [] : [LITE.unit]
  for (const unit of ['containerd.service', ...between, 'kubelet.service']) {
    const { ActiveState, SubState, Result, NRestarts } = await unitProperties(host, unit)
    if (ActiveState !== 'active')
      found.push(`${unit} is ${ActiveState} (${SubState}, ${Result}, restarted ${NRestarts} times)`)
    const recent = await lastErrors(host, unit)
    // One that does not run said why when it ended, perhaps before this run.
    const errors =
      recent.length > 0 || ActiveState === 'active' ? recent : await lastErrors(host, unit, 'boot')
    found.push(...errors.map((line) => `${unit}: ${line}`))
  }
  const restarted = (await restartedContainers(host)).slice(0, CONTAINERS)
  const lines = restarted.map(({ pod, container, restarts, latest, previous }) => {
    const words = (previous ?? latest).words.join(' ').slice(-300)
    return `container ${container} of ${pod.split('_')[1] ?? pod} was restarted ${restarts} times: ${words}`
  })
  // Containers before units: what the kubelet says is mostly about them.
  return causesFirst([...lines, ...found])
}
