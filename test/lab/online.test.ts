/** A cluster without a package: each machine downloads what its role needs, here from a mirror in the lab's network. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { NETWORK } from '../../src/lab/names.ts'
import { networkNamespace } from '../../src/lab/paths.ts'
import { type PackageManifest, unpackPackage } from '../../src/package/index.ts'
import { EXECUTABLE, PACKAGE } from './artifacts.ts'
import { reporting, type TestLab, useLab } from './machines.ts'

const PORT = 8080
const MIRROR = `http://${NETWORK.gateway}:${PORT}`
const FLAGS = ['--recipe=/root/recipe.yaml', `--mirror=${MIRROR}`, '--enable-edge=false']

let server: ChildProcess | undefined
let folder = ''
const requests: string[] = []

const lab = useLab({ masters: 1, workers: 1, executable: EXECUTABLE, prepare })

afterAll(() => {
  server?.kill()
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
})

async function prepare(made: TestLab): Promise<void> {
  // Beside the package: /tmp may be in memory.
  folder = mkdtempSync(join(PACKAGE, '..', 'online-test-'))
  const manifest = await unpackPackage(PACKAGE, folder, reporting)
  await serve(made)
  for (const machine of ['master-1', 'worker-1'])
    await made.run(machine, ['sh', '-c', 'cat > /root/recipe.yaml'], { input: recipeOf(manifest) })
}

async function serve({ name }: TestLab): Promise<void> {
  const script = fileURLToPath(new URL('publishers.ts', import.meta.url))
  const command = [process.execPath, script, folder, NETWORK.gateway, String(PORT)]
  const child = spawn('ip', ['netns', 'exec', networkNamespace(name), ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  server = child
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
    child.stdout?.on('data', (chunk: Buffer) => {
      requests.push(...chunk.toString().trim().split('\n'))
      if (requests[0] === 'listening') resolve()
    })
  })
}

/** What the package holds, as if it were published: each program an URL of its own, each image by its digest. */
function recipeOf({ kubernetesVersion, components, files, images, arch }: PackageManifest): string {
  const programs = components.flatMap(({ name, version, licence }) => {
    const own = files.filter((file) => file.component === name && !file.path.startsWith('images/'))
    if (own.length === 0) return []
    const sha256 = Object.fromEntries(own.map(({ path, sha256: sum }) => [`${arch}/${basename(path)}`, sum]))
    return [
      {
        ...{ name, version, licence },
        files: Object.fromEntries(own.map(({ path }) => [path, basename(path)])),
        sources: [{ type: 'release', url: 'https://files.example.org/{name}', sha256 }],
      },
    ]
  })
  const wanted = images.filter(({ name }) => /^(registry\.k8s\.io|ghcr\.io)\//.test(name))
  const pulled = wanted.map(({ name, digest }) => ({
    name: `${/([^/]+):/.exec(name)?.[1]}-image`,
    version: '1',
    licence: 'Apache-2.0',
    image: name,
    sources: [{ type: 'image', reference: name, digest }],
  }))
  return stringify({
    apiVersion: 'edgeadm.io/v1alpha1',
    kind: 'PackageRecipe',
    kubernetesVersion,
    components: [...programs, ...pulled],
  })
}

const askedBy = (address: string): string[] =>
  requests.filter((line) => line.startsWith(`${address} GET `)).map((line) => line.split(' ')[2] ?? '')

let joinLine: string[] = []

test('init downloads what a master needs, and makes the cluster', async () => {
  const result = await lab.probe('master-1', ['edgeadm', 'init', '--config=/root/cluster.yaml', ...FLAGS])
  expect(result.exitCode, result.stderr).toBe(0)
  expect(result.stderr).toMatch(/No package was given: \d+ files, .* are downloaded from 10\.123\.0\.1:8080/)
  joinLine =
    /edgeadm join \S+:6443 --token \S+ --discovery-token-ca-cert-hash sha256:[0-9a-f]{64}/
      .exec(result.stdout)?.[0]
      .split(' ') ?? []
  expect(joinLine).toHaveLength(7)
  expect(askedBy('10.123.0.11')).not.toContain('/edgecore')
})

test('a worker downloads only what it runs', async () => {
  const result = await lab.probe('worker-1', [...joinLine, '--config=/root/cluster.yaml', ...FLAGS])
  expect(result.exitCode, result.stderr).toBe(0)
  const asked = askedBy('10.123.0.51')
  expect(asked).toContain('/kubelet')
  expect(asked.filter((path) => /kube-apiserver|kube-scheduler|etcd/.test(path))).toEqual([])
  const nodes = await lab.run('master-1', ['kubectl', 'get', 'nodes', '--no-headers'])
  expect(
    nodes
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/)[1]),
  ).toEqual(['Ready', 'Ready'])
})

test('a second init downloads nothing and changes nothing', async () => {
  const before = requests.length
  const result = await lab.probe('master-1', ['edgeadm', 'init', '--config=/root/cluster.yaml', ...FLAGS])
  expect(result.exitCode, result.stderr).toBe(0)
  expect(result.stderr).toContain('No package was given, and nothing has to be downloaded')
  expect(requests.slice(before)).toEqual([])
})

test('reset puts the worker back, and names the downloads that it leaves', async () => {
  const result = await lab.probe('worker-1', ['edgeadm', 'reset', '--force'])
  expect(result.exitCode, result.stderr).toBe(0)
  expect(result.stderr).toContain('/var/cache/edgeadm')
  const left = await lab.probe('worker-1', ['sh', '-c', 'ls -d /var/lib/edgeadm /usr/local/bin/kubelet'])
  expect(left.stdout).toBe('')
})
