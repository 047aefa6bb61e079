/** Processes, told apart from later ones that got the same number. */

import { readFile } from 'node:fs/promises'

/**
 * Field 22 of /proc/PID/stat (proc(5)): when the process started, in clock ticks since the boot. Undefined if there is no
 * such process, or only its zombie.
 */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  const fields = await statFields(pid)
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

/** The fields of /proc/PID/stat from the third one on: the state, the parent, … Empty if there is no such process. */
export async function statFields(pid: number): Promise<string[]> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field, the name in parentheses, may itself contain blanks and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return []
    throw error
  }
}
