import type { Emit } from '../output/events.ts'

/**
 * Reports progress in steps of at least a hundredth (1 MiB where the total is not known, 0), and its end.
 * @returns to be called with what is done so far
 */
export function progressSteps(
  emit: Emit,
  task: string,
  total: number,
  unit: 'bytes' | 'items',
): (done: number) => void {
  const step = total > 0 ? total / 100 : unit === 'bytes' ? 1024 * 1024 : 1
  let shown = 0
  return (done) => {
    if (done - shown < step && done !== total) return
    if (done === shown) return
    shown = done
    emit({ type: 'progress', task, done, total, unit })
  }
}
