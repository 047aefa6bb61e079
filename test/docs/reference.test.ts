/** The generated references and man pages. */

import { expect, test } from 'vitest'
import { describeCommands } from '../../scripts/reference/commands.ts'
import { COMPONENTS, configurationFields } from '../../scripts/reference/configuration.ts'
import { manPages } from '../../scripts/reference/man-pages.ts'
import { commandReference } from '../../scripts/reference/markdown.ts'
import { COMMANDS } from '../../src/commands/index.ts'

const commands = describeCommands(COMMANDS)

test('every command has a man page and a section, with all its flags', () => {
  const pages = manPages(commands, '1.2.3')
  const markdown = commandReference(commands)
  expect(pages.size).toBe(Object.keys(COMMANDS).length + 1)
  expect(pages.get('edgeadm-init-phase.1')).toContain('\\-\\-skip\\-phases')
  for (const { name } of commands) expect(markdown).toContain(`\n## ${name}\n`)
  expect(markdown).not.toContain('<%=')
})

test('a line of text is never a request of roff', () => {
  const page = manPages(
    [
      {
        name: 'edgeadm x',
        summary: '.so /etc/passwd',
        description: "first\n.B second\n'third \\fB",
        arguments: [],
        flags: [],
        examples: [],
      },
    ],
    '1.2.3',
  ).get('edgeadm-x.1')
  expect(page).toContain("\\&.B second\n.br\n\\&'third \\efB\n")
})

test('every field of EdgeConfiguration has its flag and what it says', () => {
  const fields = configurationFields(Object.values(COMMANDS))
  expect(fields.map(({ path }) => path)).toContain('package.sha256')
  expect(
    fields.filter(
      ({ path, flag, description }) => (flag === undefined && !(path in COMPONENTS)) || description === '',
    ),
  ).toEqual([])
})
