/** How long a build is going to take: one line before the work begins, then one progress over all components. */

import { availableParallelism } from 'node:os'
import type { Emit, EventBody } from '../../output/events.ts'
import type { Step } from './plan.ts'
import type { SourceType } from './recipe.ts'

/**
 * User and system time of making a component from its `go` source with an empty cache of Go's, in seconds of one core.
 * Measured on 2026-11-26 and 27 with Go 1.26 on a virtual machine with 2 cores of an AMD EPYC.
 */
const GO_SECONDS: Readonly<Record<string, number>> = {
  kubernetes: 460,
  containerd: 80,
  runc: 18,
  'cni-plugins': 14,
  etcd: 33,
  coredns: 75,
  flanneld: 110,
  kubeedge: 350,
  'lite-apiserver': 120,
}

/** The same for components that are not in the list. */
const TYPE_SECONDS: Readonly<Record<SourceType, number>> = {
  go: 60,
  cc: 2,
  debian: 6,
  layers: 2,
  release: 5,
  image: 5,
  archive: 2,
}

/** MiB that Go's two caches take for one second of compiling, roughly. */
const CACHE_MIB_PER_SECOND = 6

/** Milliseconds that `calibrate` takes on the machine of the list above. */
const REFERENCE_CALIBRATION = 42

const LEAST_STEP = 0.01

/** Seconds of one core of the reference machine. */
export function secondsOf({ component, source }: Pick<Step, 'component' | 'source'>): number {
  const known = source.type === 'go' ? GO_SECONDS[component.name] : undefined
  return known ?? TYPE_SECONDS[source.type]
}

/** How many times slower than the reference machine this one is: a short computation, the best of five. */
export function slowness(): number {
  return Math.min(...Array.from({ length: 5 }, calibrate)) / REFERENCE_CALIBRATION
}

/** @returns milliseconds that sorting a fixed list of numbers takes */
function calibrate(): number {
  let state = 1
  const numbers = Float64Array.from({ length: 400_000 }, () => {
    state = (state * 48271) % 2147483647
    return state
  })
  const begin = performance.now()
  numbers.sort()
  return performance.now() - begin
}

export interface Forecast {
  /** For the line before the work. */
  readonly text: string
  /** What a component's maker reports goes through here: its progress becomes a part of the whole. */
  during(step: Step): Emit
  /** A component is made. */
  done(step: Step): void
}

/**
 * @param missing the components that are not in the cache
 * @param machine what this machine is: see `slowness`
 */
export function forecast(
  missing: readonly Step[],
  emit: Emit,
  machine = { slowness: slowness(), cores: availableParallelism() },
): Forecast {
  const total = missing.reduce((sum, step) => sum + secondsOf(step), 0)
  // Linkers and the ends of dependency chains use one core.
  const expected = (total * machine.slowness) / Math.max(1, machine.cores * 0.85)
  const compiled = missing.filter(({ source }) => source.type === 'go')
  const mebibytes = compiled.reduce((sum, step) => sum + secondsOf(step) * CACHE_MIB_PER_SECOND, 0)
  const begin = performance.now()
  let before = 0
  let shown = 0
  const show = (seconds: number, name: string): void => {
    const fraction = total === 0 ? 1 : seconds / total
    if (fraction - shown < LEAST_STEP && fraction < 1) return
    shown = fraction
    const elapsed = (performance.now() - begin) / 1000
    // The machine's own pace says more than the forecast, once there is some of it.
    const whole = fraction > 0.1 ? elapsed / fraction : expected
    emit({
      type: 'progress',
      task: `make the components (now ${name})`,
      done: Math.floor(100 * fraction),
      total: 100,
      unit: 'percent',
      secondsLeft: Math.max(0, Math.round(whole * (1 - fraction))),
    })
  }
  return {
    text: `${count(missing.length)} to make: about ${roughly(expected)} on this machine with ${machine.cores} cores, ${(mebibytes / 1024 + 0.5).toFixed(1)} GiB of disk. What is made stays in the cache: a build that was interrupted goes on there`,
    during(step) {
      const { component } = step
      return (event: EventBody) => {
        if (event.type !== 'progress') emit(event)
        else if (event.total > 0)
          show(before + secondsOf(step) * Math.min(1, event.done / event.total), component.name)
      }
    },
    done(step) {
      before += secondsOf(step)
      show(before, step.component.name)
    },
  }
}

function count(components: number): string {
  return components === 1 ? '1 component' : `${components} components`
}

/** 100 -> "2 min". */
export function roughly(seconds: number): string {
  if (seconds < 90) return `${Math.max(5, Math.round(seconds / 5) * 5)} s`
  return `${Math.round(seconds / 60)} min`
}
