/** What `upload-certs` leaves in the Secret kube-system/kubeadm-certs (kubeadm, cmd/kubeadm/app/phases/copycerts and util/crypto). */

import { createDecipheriv } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16

export interface CertificatesSecret {
  readonly data?: Readonly<Record<string, string>>
}

/** Whether this certificate key decrypts them: AES-256-GCM, the nonce before and the tag behind the text. */
export function canDecrypt(secret: CertificatesSecret, certificateKey: string): boolean {
  const sealed = Buffer.from(Object.values(secret.data ?? {})[0] ?? '', 'base64')
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return false
  const key = Buffer.from(certificateKey, 'hex')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES))
    decipher.final()
    return true
  } catch {
    return false
  }
}
