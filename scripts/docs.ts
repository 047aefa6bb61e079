/**
 * `npm run docs`: writes what of docs/ is generated: commands.md and configuration.md from the code, and architecture.svg from
 * architecture.dot (with Graphviz, where it is installed).
 */

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { COMMANDS } from '../src/commands/index.ts'
import { describeCommands } from './reference/commands.ts'
import { configurationFields } from './reference/configuration.ts'
import { commandReference, configurationReference } from './reference/markdown.ts'

writeFileSync('docs/commands.md', commandReference(describeCommands(COMMANDS)))
writeFileSync('docs/configuration.md', configurationReference(configurationFields(Object.values(COMMANDS))))
const dot = spawnSync('dot', ['-Tsvg', '-o', 'docs/architecture.svg', 'docs/architecture.dot'], {
  stdio: 'inherit',
})
if (dot.error !== undefined)
  console.error('docs/architecture.svg stays as it is: Graphviz (dot) is not installed')
else if (dot.status !== 0) process.exitCode = 1
