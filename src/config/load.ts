/** The way from a command line to settings: `readConfigFile`, `gatherFacts`, then one of the three `resolve…`. */

export { gatherFacts } from './facts.ts'
export { type ConfigFile, parseConfigFile, readConfigFile } from './file.ts'
export type { ResolveInput } from './resolve-common.ts'
export { resolveInit } from './resolve-init.ts'
export { type JoinInput, resolveJoin } from './resolve-join.ts'
export { resolveReset } from './resolve-reset.ts'
