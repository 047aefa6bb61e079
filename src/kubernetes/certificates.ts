/**
 * X.509 for what kubeadm does not issue: the CAs and certificates of the edge parts. Keys are ECDSA P-256.
 * This file is heavy to import; load it where it is needed.
 */

// First: the decorators inside of the library want it.
import 'reflect-metadata'
import { createPrivateKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** Node's own Web Crypto, told to the library each time: nothing global is set. */
const provider = webcrypto as unknown as Parameters<typeof X509CertificateGenerator.create>[1]
const DAY = 86_400_000
/** Clocks of a cluster differ a little: a certificate is valid from a while ago, as kubeadm's are. */
const BACKDATE = 5 * 60_000

export interface KeyedCertificate {
  readonly certificatePem: string
  /** Secret. PKCS #8. */
  readonly keyPem: string
}

export interface Subject {
  readonly commonName: string
  /** In Kubernetes, the user's groups. */
  readonly organizations?: readonly string[]
}

export interface SubjectNames {
  readonly dns?: readonly string[]
  readonly ip?: readonly string[]
}

export interface CertificateRequest extends Subject {
  readonly names?: SubjectNames
  readonly usages: readonly ('server' | 'client')[]
  readonly days: number
}

/** A self-signed CA of its own. */
export async function makeCa(subject: Subject & { readonly days: number }): Promise<KeyedCertificate> {
  const keys = await makeKeys()
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      ...validity(subject.days),
      serialNumber: serialNumber(),
      name: nameOf(subject),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(
          KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment,
          true,
        ),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, provider),
      ],
    },
    provider,
  )
  return { certificatePem: pemOf(certificate), keyPem: await exportKey(keys.privateKey) }
}

/** A certificate with a new key. The CA's key may be ECDSA P-256 or RSA (such as kubeadm's). */
export async function issueCertificate(
  ca: KeyedCertificate,
  request: CertificateRequest,
): Promise<KeyedCertificate> {
  const issuer = new X509Certificate(ca.certificatePem)
  const keys = await makeKeys()
  const usages = request.usages.map((usage) =>
    usage === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
  )
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
    new ExtendedKeyUsageExtension(usages),
    await SubjectKeyIdentifierExtension.create(keys.publicKey, false, provider),
    await AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, provider),
    ...alternativeNames(request.names),
  ]
  const { key, algorithm } = await importKey(ca.keyPem)
  const certificate = await X509CertificateGenerator.create(
    {
      ...validity(request.days),
      serialNumber: serialNumber(),
      subject: nameOf(request),
      issuer: issuer.subjectName,
      publicKey: keys.publicKey,
      signingKey: key,
      signingAlgorithm: algorithm,
      extensions,
    },
    provider,
  )
  return { certificatePem: pemOf(certificate), keyPem: await exportKey(keys.privateKey) }
}

export interface KeyedRequest {
  readonly requestPem: string
  /** What goes into CloudCore's certificate requests. */
  readonly requestDer: Uint8Array
  /** Secret. */
  readonly keyPem: string
}

/** A certificate signing request (PKCS #10) with a new key. */
export async function makeCsr(subject: Subject & { readonly names?: SubjectNames }): Promise<KeyedRequest> {
  const keys = await makeKeys()
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: nameOf(subject), keys, signingAlgorithm: ALGORITHM, extensions: alternativeNames(subject.names) },
    provider,
  )
  return {
    requestPem: `${request.toString('pem')}\n`,
    requestDer: new Uint8Array(request.rawData),
    keyPem: await exportKey(keys.privateKey),
  }
}

export function certificateDer(pem: string): Uint8Array {
  return new Uint8Array(new X509Certificate(pem).rawData)
}

/** SEC 1 or PKCS #8 as DER, which some of KubeEdge's Secrets carry. */
export function keyDer(pem: string, type: 'sec1' | 'pkcs8'): Uint8Array {
  const key = createPrivateKey(pem)
  return new Uint8Array(key.export({ type, format: 'der' }))
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, type: 'pkcs8', format: 'der' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string
}

async function importKey(pem: string) {
  const key: KeyObject = createPrivateKey(pem)
  const algorithm =
    key.asymmetricKeyType === 'rsa' ? ({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const) : ALGORITHM
  const der = key.export({ type: 'pkcs8', format: 'der' })
  return { key: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']), algorithm }
}

function alternativeNames(names: SubjectNames | undefined): SubjectAlternativeNameExtension[] {
  const ip = names?.ip ?? []
  const wrong = ip.find((address) => isIP(address) === 0)
  if (wrong !== undefined) throw new Error(`"${wrong}" is no IP address and cannot be one of a certificate's`)
  const entries = [
    ...(names?.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...ip.map((value) => ({ type: 'ip' as const, value })),
  ]
  return entries.length > 0 ? [new SubjectAlternativeNameExtension(entries)] : []
}

function nameOf({ commonName, organizations = [] }: Subject): Name {
  return new Name([...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }])
}

function validity(days: number) {
  const now = Date.now()
  return { notBefore: new Date(now - BACKDATE), notAfter: new Date(now + days * DAY) }
}

/** 16 random bytes; positive, as RFC 5280 wants it. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40
  return bytes.toString('hex')
}

const pemOf = (certificate: X509Certificate) => `${certificate.toString('pem')}\n`
