/** What the machine tests run with: the executable and the package that `npm test` built. */

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

function artifact(variable: string, fallback: string | undefined, how: string): string {
  const path = process.env[variable] ?? fallback
  if (path === undefined || !existsSync(path)) {
    throw new Error(`${variable} names no file (${path ?? 'it is not set'}): ${how}`)
  }
  return path
}

/** The executable. `EDGEADM_TEST_EXECUTABLE`, else what `npm run build` made. */
export const EXECUTABLE = artifact(
  'EDGEADM_TEST_EXECUTABLE',
  fileURLToPath(new URL('../../build/edgeadm-linux-amd64', import.meta.url)),
  'run `npm run build`',
)

/** The offline package. `EDGEADM_TEST_PACKAGE`, which `npm test` sets. */
export const PACKAGE = artifact(
  'EDGEADM_TEST_PACKAGE',
  undefined,
  'run `npm test`, or set it to what `edgeadm package build` prints',
)
