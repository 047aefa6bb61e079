import type { Host } from '../host/host.ts'
import { render } from '../templates.ts'

/** Writes templates/`name`, rendered with `data`, to `path`. Resolves with whether that changed anything. */
export async function templateFile(
  host: Host,
  path: string,
  name: string,
  data: Readonly<Record<string, unknown>> = {},
  options: { mode?: number; secret?: boolean } = {},
): Promise<boolean> {
  return host.writeFile(path, render(name, data), { mode: 0o644, ...options })
}
