import { parseConfigFile } from '../../src/config/file.ts'
import type { HostFacts, VersionFacts } from '../../src/config/types.ts'
import { EdgeadmError } from '../../src/output/errors.ts'

/** An air-gapped machine: one network, no default route. */
export const facts: HostFacts = {
  hostname: 'Master-1',
  interfaces: [
    {
      name: 'lo',
      up: true,
      loopback: true,
      addresses: [{ address: '127.0.0.1', prefixLength: 8, family: 4 }],
    },
    {
      name: 'eth0',
      up: true,
      loopback: false,
      addresses: [
        { address: '10.0.0.10', prefixLength: 24, family: 4 },
        { address: 'fe80::1', prefixLength: 64, family: 6 },
      ],
    },
  ],
  routes: [{ destination: '10.0.0.0/24', interface: 'eth0', family: 4, metric: 0, source: '10.0.0.10' }],
}

export const versions: VersionFacts = { kubernetesVersions: ['v1.33.13'], source: 'the package' }

export const versionsOf = (...kubernetesVersions: string[]): VersionFacts => ({
  kubernetesVersions,
  source: 'the package',
})

export const input = <F>(flags: F, yaml?: string) => ({
  flags,
  file: yaml === undefined ? undefined : parseConfigFile(yaml, 'cluster.yaml'),
  facts,
  versions,
})

/** What `work` throws, as lines: the message, or one line for each of several problems. */
export function problemsOf(work: () => unknown): readonly string[] {
  try {
    work()
  } catch (error) {
    if (!(error instanceof EdgeadmError)) throw error
    return error.details.length > 0 ? error.details : [error.message]
  }
  throw new Error('expected it to fail')
}
