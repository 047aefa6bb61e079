/** Mount points at or below `path`, deepest first, from the text of /proc/self/mountinfo (proc(5)). */
export function mountsBelow(mountinfo: string, path: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) => unescapeOctal(line.split(' ')[4] ?? ''))
    .filter((target) => target === path || target.startsWith(`${path}/`))
    .reverse()
}

/** The kernel writes blanks and backslashes in paths as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
