/** Takes what lets others in out of a text that leaves the machine: keys, tokens, passwords. Names and addresses stay. */

const GONE = '[REDACTED]'

/** Words whose value is a secret wherever they stand; the value ends with the line, a quote, a comma or a space. */
const FIELDS =
  '(?:[\\w.-]*(?:password|passwd|passphrase|secret|credential|api[-_]?key|access[-_]?key|auth[-_]?token|bearer[-_]?token)[\\w.-]*|token|certificate-?key|tlsBootstrapToken|client-key-data|client-certificate-data|id-token|refresh-token)'

const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g, GONE],
  // The same inside of base64: kubeconfigs, Secrets. A certificate in base64 goes, too; nobody needs it twice.
  [/LS0tLS1CRUdJT[A-Za-z0-9+/=]+/g, GONE],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, GONE],
  // A bootstrap token: its id may stay, as in `kubeadm token list`.
  [/\b([a-z0-9]{6})\.[a-z0-9]{16}\b/g, `$1.${GONE}`],
  [/AGE-SECRET-KEY-[A-Z0-9-]+/g, GONE],
  [/(authorization:\s*)\S.*/gi, `$1${GONE}`],
  [/(bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi, `$1${GONE}`],
  // user:password@ of an URL.
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^/\s:@]+:)[^/\s@]+@/gi, `$1${GONE}@`],
  // An environment variable of a manifest: its value is on the next line.
  [new RegExp(`(name:\\s*["']?${FIELDS}["']?\\s*\\n\\s*value:\\s*).*`, 'gi'), `$1${GONE}`],
  [
    new RegExp(`((?:--|\\b|["'])${FIELDS}["']?\\s*[:=]\\s*)(?:"[^"\\n]*"|'[^'\\n]*'|[^\\s,}"']+)`, 'gi'),
    `$1${GONE}`,
  ],
  [new RegExp(`(--${FIELDS}\\s+)(?!-)[^\\s"']+`, 'gi'), `$1${GONE}`],
]

export function redact(text: string): string {
  return RULES.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), text)
}
