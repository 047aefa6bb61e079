/** Man pages from what oclif knows of the commands: edgeadm(1) and one page for each command, edgeadm-init-phase(1). */

import type { CommandEntry } from './commands.ts'

/** File name -> its text in the macros of man(7). */
export function manPages(commands: readonly CommandEntry[], version: string): Map<string, string> {
  const pages = new Map([['edgeadm.1', overview(commands, version)]])
  for (const command of commands) pages.set(`${pageName(command.name)}.1`, page(command, version))
  return pages
}

function overview(commands: readonly CommandEntry[], version: string): string {
  return lines(
    header('edgeadm', version),
    '.SH NAME',
    'edgeadm \\- turn bare Linux machines into an edge Kubernetes cluster and back again',
    '.SH SYNOPSIS',
    '.B edgeadm',
    '.I COMMAND',
    '[\\fIflags\\fR]',
    '.SH DESCRIPTION',
    'edgeadm is one executable. It runs kubeadm, phase by phase, as a sub-process. Around it, it checks and prepares the machine,',
    'unpacks one offline package, and records how each change is taken back.',
    '.SH COMMANDS',
    ...commands.flatMap(({ name, summary }) => [
      '.TP',
      `.BR ${pageName(name).replaceAll('-', '\\-')} (1)`,
      escaped(summary),
    ]),
    '.SH FILES',
    '.TP',
    '.I /var/lib/edgeadm/',
    'What was changed on this machine and how it is taken back.',
    '.TP',
    '.I /var/log/edgeadm/',
    'A log for each run.',
  )
}

function page(command: CommandEntry, version: string): string {
  const title = pageName(command.name)
  return lines(
    header(title, version),
    '.SH NAME',
    `${escaped(title)} \\- ${escaped(command.summary)}`,
    '.SH SYNOPSIS',
    `.B ${command.name}`,
    ...command.arguments.map(({ usage }) => `.I ${escaped(usage)}`),
    '[\\fIflags\\fR]',
    ...(command.description === '' ? [] : ['.SH DESCRIPTION', ...paragraphs(command.description)]),
    ...(command.arguments.length === 0 ? [] : ['.SH ARGUMENTS']),
    ...command.arguments.flatMap(({ usage, description }) => [
      '.TP',
      `.I ${escaped(usage)}`,
      escaped(description),
    ]),
    '.SH OPTIONS',
    ...command.flags.flatMap(({ names, value, description }) => [
      '.TP',
      `${names.map((name) => `\\fB${escaped(name)}\\fR`).join(', ')}${value === undefined ? '' : ` \\fI${escaped(value)}\\fR`}`,
      ...paragraphs(description),
    ]),
    ...(command.examples.length === 0 ? [] : ['.SH EXAMPLES']),
    ...command.examples.flatMap((example) => [
      '.PP',
      '.nf',
      '.RS',
      ...example.split('\n').map(escaped),
      '.RE',
      '.fi',
    ]),
    '.SH SEE ALSO',
    '.BR edgeadm (1)',
  )
}

/** No date: two builds of one version give the same bytes. */
function header(title: string, version: string): string {
  return `.TH ${title.toUpperCase().replaceAll('-', '\\-')} 1 "" "edgeadm ${version}" "edgeadm"`
}

/** `edgeadm init phase` -> `edgeadm-init-phase` */
function pageName(name: string): string {
  return name.replaceAll(' ', '-')
}

function paragraphs(text: string): string[] {
  return text.split('\n').flatMap((line, index) => (index === 0 ? [escaped(line)] : ['.br', escaped(line)]))
}

/** Text that roff prints as it is: backslashes, dashes that can be copied, and no line that begins as a request. */
function escaped(text: string): string {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...')
  return /^[.']/.test(plain) ? `\\&${plain}` : plain
}

function lines(...parts: readonly string[]): string {
  return `${parts.join('\n')}\n`
}
