import { basename, dirname, join } from 'node:path'

/**
 * The name under which a file is written before it takes its place. Hidden, so that directories whose every file is read
 * (conf.d, manifests) never see a half-written one.
 */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.edgeadm-${process.pid}`)
}

/** Whether `name`, in the same directory, is what a run that was killed left of writing `path`. */
export function isTemporaryOf(path: string, name: string): boolean {
  const prefix = `.${basename(path)}.edgeadm-`
  return name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length))
}
