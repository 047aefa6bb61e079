/** What scripts/build.ts puts into the executable for bin/load-cli.ts. */

/** The bundle of src/cli.ts: CommonJS within the function that Node.js would wrap around it, in ASCII, and V8's code cache for it: empty if it was built on another architecture. */
export const CLI_ASSET = 'cli.cjs'
export const CLI_CACHE_ASSET = 'cli.cache'

export const CLI_WRAPPER = {
  banner: '(function (exports, require, module, __filename) {',
  footer: '})',
} as const
