/** What the executable was made from. `npm run build` puts it in; run from source there is none. */

import { getAsset, isSea } from 'node:sea'

export interface BuildInfo {
  /** Of edgeadm's repository, 40 hexadecimal digits; `-dirty` follows where the tree had changes of its own. */
  readonly commit: string
  /** The programs and libraries inside. */
  readonly parts: readonly BuildPart[]
}

export interface BuildPart {
  readonly name: string
  readonly version: string
  /** SPDX expression. */
  readonly licence: string
}

export const BUILD_INFO_ASSET = 'build-info.json'

export function buildInfo(): BuildInfo {
  if (!isSea()) return { commit: 'not built: run from source', parts: [] }
  return JSON.parse(getAsset(BUILD_INFO_ASSET, 'utf8')) as BuildInfo
}
