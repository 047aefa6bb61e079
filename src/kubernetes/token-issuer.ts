/** By what tokens of ServiceAccounts are known, as this master's API server is told. */

import { createPublicKey } from 'node:crypto'
import type { Host } from '../host/host.ts'
import { EdgeadmError } from '../output/errors.ts'
import { argumentsOf, onHost, staticPod } from './static-pod.ts'

export interface TokenIssuer {
  /** It signs with the first, and takes tokens of all. */
  readonly issuers: readonly string[]
  /** PEM, public keys alone. */
  readonly keys: string
}

/**
 * @param fallback what kubeadm tells an API server; used where there is none yet, as in a dry run
 * @throws EdgeadmError class `phase` if a key file cannot be read
 */
export async function tokenIssuer(
  host: Host,
  fallback: { readonly dnsDomain: string; readonly certDir: string },
): Promise<TokenIssuer> {
  const pod = await staticPod(host, 'kube-apiserver')
  const given = pod === undefined ? [] : argumentsOf(pod)
  const values = (flag: string) => given.flatMap(([name, value]) => (name === flag ? [value] : []))
  const issuers = values('service-account-issuer')
  const files = values('service-account-key-file').map((path) =>
    pod === undefined ? path : onHost(pod, path),
  )
  return {
    issuers: issuers.length > 0 ? issuers : [`https://kubernetes.default.svc.${fallback.dnsDomain}`],
    keys: await readKeys(host, files.length > 0 ? files : [`${fallback.certDir}/sa.pub`], pod !== undefined),
  }
}

async function readKeys(host: Host, files: readonly string[], mustBeThere: boolean): Promise<string> {
  const texts: string[] = []
  for (const file of files) {
    const text = await host.readFile(file)
    if (text === undefined && mustBeThere)
      throw new EdgeadmError('phase', `the API server verifies tokens with ${file}, which is not there`)
    if (text !== undefined) texts.push(publicParts(text))
  }
  return texts.join('')
}

/** An API server also takes a file with the private key, which is for nobody else. */
export function publicParts(pem: string): string {
  const blocks = pem.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? []
  return blocks
    .map((block) => createPublicKey(block).export({ type: 'spki', format: 'pem' }).toString())
    .join('')
}
