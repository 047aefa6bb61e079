/** Uploads a master's certificates again, under a new key, for masters that join after kubeadm's two hours. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { kubeadmApiVersion } from '../config/kubeadm-api.ts'
import { LocalMachine } from '../host/local.ts'
import { KUBEADM, KUBECTL } from '../kubernetes/kubectl.ts'
import { EdgeadmError } from '../output/errors.ts'
import type { Reporting } from '../output/events.ts'
import { KUBEADM_ENV } from '../phases/context.ts'

/**
 * kubeadm's `init phase upload-certs`. The key goes to it in a file that only root reads. It is told the cluster's own
 * version and folder of certificates: it would ask the internet for the one, and take a default for the other.
 * @throws EdgeadmError class `phase`, or `preflight` where there are no credentials for the cluster
 */
export async function renewCertificates(
  certificateKey: string,
  kubeconfig: string,
  reporting: Reporting,
): Promise<void> {
  const machine = new LocalMachine(reporting.signal)
  const found = await machine.execute(KUBECTL, [
    ...['--kubeconfig', kubeconfig, '-n', 'kube-system', 'get', 'configmap', 'kubeadm-config'],
    ...['-o', 'jsonpath={.data.ClusterConfiguration}', '--request-timeout=30s'],
  ])
  if (found.exitCode !== 0) {
    throw new EdgeadmError('preflight', "the cluster's configuration cannot be read", {
      details: found.stderr.split('\n').filter((line) => line !== ''),
      fix: 'run it on a master',
    })
  }
  const cluster = parse(found.stdout) as { kubernetesVersion: string }
  const init = {
    apiVersion: kubeadmApiVersion(cluster.kubernetesVersion),
    kind: 'InitConfiguration',
    certificateKey,
  }
  const directory = await mkdtemp('/run/edgeadm-certificates-')
  try {
    const path = join(directory, 'kubeadm.yaml')
    const documents = [init, cluster].map((document) => stringify(document, { version: '1.1' }))
    await writeFile(path, documents.join('---\n'), { mode: 0o600 })
    const args = ['init', 'phase', 'upload-certs', '--upload-certs', '--skip-certificate-key-print']
    const output = await machine.execute(KUBEADM, [...args, '--config', path, '--kubeconfig', kubeconfig], {
      env: KUBEADM_ENV,
    })
    if (output.exitCode === 0) return
    throw new EdgeadmError('phase', 'kubeadm could not upload the certificates', {
      details: output.stderr.split('\n').filter((line) => line.trim() !== ''),
    })
  } finally {
    await rm(directory, { recursive: true })
  }
}
