/** docs/commands.md and docs/configuration.md. */

import type { CommandEntry } from './commands.ts'
import type { FieldEntry } from './configuration.ts'

const GENERATED = '<!-- Made by `npm run docs`. Do not edit. -->'

export function commandReference(commands: readonly CommandEntry[]): string {
  return text(
    GENERATED,
    '# Commands',
    '',
    "`edgeadm COMMAND --help` prints the same. Booleans take Go's forms, too: `--enable-edge=false`.",
    '',
    ...commands.map(
      ({ name, summary }) => `- [${code(name)}](#${name.replaceAll(' ', '-')}): ${cell(summary)}`,
    ),
    ...commands.flatMap(section),
  )
}

function section({ name, summary, description, arguments: args, flags, examples }: CommandEntry): string[] {
  return [
    '',
    `## ${name}`,
    '',
    cell(summary),
    ...(description === '' ? [] : ['', ...description.split('\n')]),
    '',
    `    ${[name, ...args.map(({ usage }) => usage), '[flags]'].join(' ')}`,
    '',
    ...table(
      ['argument, flag', 'what'],
      [
        ...args.map(({ usage, description: what }) => [code(usage), what]),
        ...flags.map(({ names, value, description: what }) => [
          code(`${names.join(', ')}${value === undefined ? '' : ` ${value}`}`),
          what,
        ]),
      ],
    ),
    ...(examples.length === 0
      ? []
      : ['', ...examples.flatMap((each) => each.split('\n').map((line) => `    ${line}`))]),
  ]
}

export function configurationReference(fields: readonly FieldEntry[]): string {
  return text(
    GENERATED,
    '# Configuration file',
    '',
    "`--config FILE` takes kubeadm's documents (InitConfiguration, JoinConfiguration, ClusterConfiguration, and with them",
    "KubeletConfiguration and KubeProxyConfiguration) and, beside them in the same file, edgeadm's own. A flag beats the file. Fields of kubeadm's",
    'that edgeadm does not know are passed on, with a warning.',
    '',
    '```yaml',
    'apiVersion: edgeadm.io/v1alpha1',
    'kind: EdgeConfiguration',
    'enableEdge: true',
    'edge:',
    '  cloudAddresses: [203.0.113.10]',
    '```',
    '',
    'Each field of `EdgeConfiguration` and its flag:',
    '',
    ...table(
      ['field', 'flag', 'what'],
      fields.map(({ path, flag, description }) => [
        code(path),
        flag === undefined ? '' : code(`--${flag}`),
        description,
      ]),
    ),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))].map(
    (row) => `| ${row.join(' | ')} |`,
  )
}

/** `|` and line ends would end the cell; `<` begins HTML. */
function cell(words: string): string {
  return words.replaceAll('\n', ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

function code(words: string): string {
  return `\`${words}\``
}

function text(...lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
