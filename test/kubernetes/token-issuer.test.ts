import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { dryRunHosts } from '../../src/host/dry-run.ts'
import { tokenIssuer } from '../../src/kubernetes/token-issuer.ts'
import { machine } from '../phases/node/machine.ts'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const privatePem = privateKey.export({ type: 'sec1', format: 'pem' }).toString()
const kubeadms = { dnsDomain: 'cluster.local', certDir: '/etc/kubernetes/pki' }

const apiServer = (...flags: string[]) => `
spec:
  containers:
  - command: [kube-apiserver, ${flags.join(', ')}]
    volumeMounts:
    - {name: certs, mountPath: /etc/kubernetes/pki}
    - {name: keys, mountPath: /keys}
  volumes:
  - {name: certs, hostPath: {path: /etc/kubernetes/pki}}
  - {name: keys, hostPath: {path: /srv/keys}}
`
async function issuerOn(files: Readonly<Record<string, string>>) {
  const on = machine()
  for (const [path, text] of Object.entries(files)) await on.put(path, text)
  return tokenIssuer(dryRunHosts(on, () => {})('test'), kubeadms)
}

test('issuers and keys are those of the API server, wherever it has them from', async () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
  const otherPem = other.export({ type: 'spki', format: 'pem' }).toString()
  const found = await issuerOn({
    '/etc/kubernetes/manifests/kube-apiserver.yaml': apiServer(
      '--service-account-issuer=https://tokens.example.org',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      '--service-account-key-file=/etc/kubernetes/pki/sa.pub',
      '--service-account-key-file=/keys/old.pub',
    ),
    '/etc/kubernetes/pki/sa.pub': publicPem,
    '/srv/keys/old.pub': otherPem,
  })
  expect(found).toEqual({
    issuers: ['https://tokens.example.org', 'https://kubernetes.default.svc.cluster.local'],
    keys: publicPem + otherPem,
  })
})

test('of a file with the private key only the public part is told', async () => {
  const { keys } = await issuerOn({
    '/etc/kubernetes/manifests/kube-apiserver.yaml': apiServer('--service-account-key-file=/keys/sa.key'),
    '/srv/keys/sa.key': privatePem,
  })
  expect(keys).toBe(publicPem)
})

test('a key file that is not there is named', async () => {
  const files = {
    '/etc/kubernetes/manifests/kube-apiserver.yaml': apiServer('--service-account-key-file=/keys/sa.key'),
  }
  await expect(issuerOn(files)).rejects.toThrow('/srv/keys/sa.key')
})

test('before there is an API server, they are what kubeadm will tell it', async () => {
  expect(await issuerOn({})).toEqual({
    issuers: ['https://kubernetes.default.svc.cluster.local'],
    keys: '',
  })
})
