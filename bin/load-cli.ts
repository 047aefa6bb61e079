/**
 * Stands for src/cli.ts in the executable, where the rest of edgeadm is an asset: what answers without it (`--version`) does not
 * wait until it is read.
 */

import { getRawAsset } from 'node:sea'
import { Script } from 'node:vm'
import { CLI_ASSET, CLI_CACHE_ASSET } from './cli-assets.ts'

interface Cli {
  main(argv: readonly string[]): Promise<void>
}

function load(): Cli {
  const source = Buffer.from(getRawAsset(CLI_ASSET)).toString('latin1')
  const cache = Buffer.from(getRawAsset(CLI_CACHE_ASSET))
  const script = new Script(source, {
    filename: process.execPath,
    ...(cache.length === 0 ? {} : { cachedData: cache }),
  })
  const module = { exports: {} as Cli }
  script.runInThisContext()(module.exports, builtin, module, process.execPath)
  return module.exports
}

/** Only what is in Node.js itself: nothing is ever loaded from the disk. */
function builtin(name: string): unknown {
  const module: unknown = process.getBuiltinModule(name)
  if (module === undefined)
    throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' })
  return module
}

export const { main } = load()
