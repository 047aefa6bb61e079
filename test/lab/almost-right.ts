/** What the tests of bad input put onto machines: packages and servers that are almost right. */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FACTS_SCHEMA } from '../../src/kubeedge/cluster-facts.ts'
import { encodeTicket } from '../../src/kubeedge/edge-ticket.ts'
import { makeJoinToken } from '../../src/kubeedge/join-token.ts'
import { machinePaths } from '../../src/lab/index.ts'
import { readPackageManifest, serializeManifest, unpackPackage } from '../../src/package/index.ts'
import { signManifest } from '../../src/package/signature.ts'
import { newSigner } from '../package/signed.ts'
import { tarOf } from '../package/synthetic.ts'
import { PACKAGE } from './artifacts.ts'
import { reporting, type TestLab } from './machines.ts'

/** In memory: files here are not part of the machine's disk. */
export const TMP = '/run/bad'
const skewedApi = await readFile(new URL('skewed-api.sh', import.meta.url))

/** The master's package, unpacked and signed, and the public key beside it. */
export async function signPackage(lab: TestLab): Promise<void> {
  const { key, publicPem } = newSigner()
  const folder = join(machinePaths(lab.name, 'master-1').root, 'root/signed')
  await mkdir(folder)
  await unpackPackage(PACKAGE, folder, reporting)
  const manifest = await readFile(join(folder, 'manifest.json'))
  await writeFile(join(folder, 'manifest.sig'), signManifest(manifest, key))
  await writeFile(`${folder}.pub`, publicPem)
}

/** The beginning of a package as another version of Kubernetes would have it: enough for all that is asked before unpacking. */
export async function putPackageOf(lab: TestLab, kubernetesVersion: string): Promise<string> {
  const manifest = { ...(await readPackageManifest(PACKAGE, reporting)), kubernetesVersion }
  const path = `${TMP}/${kubernetesVersion}.tar`
  const input = tarOf([{ path: 'manifest.json', content: serializeManifest(manifest), mode: 0o644 }])
  await lab.run('worker-1', ['sh', '-c', `mkdir -p ${TMP} && cat >${path}`], { input })
  return `--install-pkg-path=${path}`
}

/** An API server on the master whose clock is off. Returns its address. */
export async function startSkewedApi(lab: TestLab, port: number, skew: string): Promise<string> {
  await lab.run('master-1', ['sh', '-c', 'cat >/run/skewed-api && chmod +x /run/skewed-api'], {
    input: skewedApi,
  })
  const [cert, key] = ['crt', 'key'].map((ending) => `/etc/kubernetes/pki/apiserver.${ending}`)
  const listen = `OPENSSL-LISTEN:${port},fork,reuseaddr,verify=0,cert=${cert},key=${key}`
  await lab.run('master-1', [
    ...['systemd-run', '--quiet', `--setenv=SKEW=${skew}`],
    ...['socat', listen, 'EXEC:/run/skewed-api'],
  ])
  await lab.run('master-1', ['sh', '-c', `until ss -Hltn | grep -q ':${port} '; do sleep 0.1; done`])
  return `10.123.0.11:${port}`
}

/** What an edge node joins with that reaches CloudCore alone; well-formed, and of no cluster. */
export function ticketTo(address: string): string {
  const nobody = { certificateDer: Buffer.from('none'), keyDer: Buffer.from('none') }
  const facts = {
    schema: FACTS_SCHEMA,
    cloudAddresses: [address],
    kubeEdgeVersion: 'v1.23.1',
    kubernetesVersion: 'v1.33.13',
    serviceAccountKeys: '',
    serviceAccountIssuers: [],
    stream: true,
    components: {},
    dnsDomain: 'cluster.local',
    clusterDns: [],
    networks: [],
  }
  return encodeTicket({ token: makeJoinToken(nobody, 600_000), facts })
}
