/**
 * `kind: Cluster`: a whole fleet in one file. The types, the checks and the published JSON schema
 * (`docs/cluster.schema.json`) all come from here.
 */

import { z } from 'zod'

const DURATION = /^\d+(ms|s|m|h)$/
const PERCENT_OR_COUNT = 'a number, or a percentage such as 10%'

const share = z.union([z.int().min(0), z.string().regex(/^\d{1,3}%$/, `must be ${PERCENT_OR_COUNT}`)])

const text = z.string().min(1)
const environmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')

/** A password is never in the file: these say where it is. */
const secretSource = z.strictObject({
  env: environmentName.optional().describe('Name of the environment variable that has it.'),
  file: text.optional().describe('Path of a file that has it, on the machine that runs edgeadm.'),
})

const ssh = z
  .strictObject({
    user: text.optional().describe('Login name. Default: what ssh_config says, else root.'),
    port: z.int().min(1).max(65535).optional().describe('Default: what ssh_config says, else 22.'),
    identityFile: text
      .optional()
      .describe(
        'Path of the private key. Only this key is offered. Default: the agent, and the keys of ssh_config.',
      ),
    jump: text
      .optional()
      .describe('Hosts to go through: [USER@]HOST[:PORT], several with commas. "none": directly.'),
    hostKey: text.optional().describe('The public host key, "ssh-ed25519 AAAA…". It beats known_hosts.'),
    knownHosts: text
      .optional()
      .describe('Path of a known_hosts file that is used instead of the usual ones.'),
    password: secretSource.optional().describe('Where the login password is. Keys are better.'),
    sudoPassword: secretSource.optional().describe('Where the password for sudo is, if sudo asks for one.'),
    transport: z
      .enum(['built-in', 'openssh'])
      .optional()
      .describe(
        "What connects: edgeadm itself, or OpenSSH's `ssh` on this machine, which knows certificates, security keys and ProxyCommand. Default: built-in.",
      ),
    options: z
      .record(z.string(), z.string())
      .optional()
      .describe('Further words of ssh_config, for transport: openssh. {ProxyCommand: "…"}'),
  })
  .describe(
    'How a host is reached. What is left out comes from the site, then from spec.ssh, then from ssh_config.',
  )

const taint = z.strictObject({
  key: text,
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
})

const host = z.strictObject({
  name: text.describe("The node's name in the cluster."),
  address: text.describe('Where SSH reaches it: an IP address or a DNS name, or an alias of ssh_config.'),
  nodeAddress: text
    .optional()
    .describe(
      'Its IP address in the cluster. Default: the SSH address if the machine has it, else what edgeadm finds.',
    ),
  role: z.enum(['master', 'worker', 'edge']),
  site: text.optional().describe('Name of an entry of spec.sites.'),
  labels: z.record(z.string(), z.string()).optional(),
  taints: z.array(taint).optional().describe('Default: those of the role.'),
  edgeConfiguration: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      "Fields of EdgeConfiguration that differ on this host; they are laid over the file's document.",
    ),
  ssh: ssh.optional(),
  state: z
    .enum(['present', 'absent'])
    .optional()
    .describe('absent: the node is drained, leaves the cluster, and the machine is reset. Default: present.'),
})

const site = z.strictObject({
  name: text,
  ssh: ssh.optional(),
  distribution: z
    .enum(['relay', 'push'])
    .optional()
    .describe(
      "relay: the site's first host gets the package from this machine and gives it to the others, over HTTPS on a free port. push: each host gets it from this machine. Default: relay.",
    ),
})

const rollout = z.strictObject({
  parallel: z.int().min(1).optional().describe('Hosts at work at once. Default: 30.'),
  uploads: z.int().min(1).optional().describe('Uploads at once from this machine. Default: 5.'),
  maxUnavailable: share
    .optional()
    .describe('Nodes that are taken out at once, per role; at least 1. Default: 10%. Masters: always one.'),
  maxFailures: share
    .optional()
    .describe('Workers and edge nodes that may fail before nothing new is begun; at least 1. Default: 10%.'),
  requireAll: z.boolean().optional().describe('Whether an unreachable host is a failed one. Default: false.'),
  drainTimeout: z
    .string()
    .regex(DURATION, 'must be a duration such as 5m')
    .optional()
    .describe('Default: 5m.'),
})

export const CLUSTER_SCHEMA = z
  .strictObject({
    apiVersion: z.literal('edgeadm.io/v1alpha1'),
    kind: z.literal('Cluster'),
    metadata: z.strictObject({ name: text.describe('Name of the cluster; nodes carry it as a label.') }),
    spec: z.strictObject({
      package: text
        .optional()
        .describe("The offline package on this machine. Default: EdgeConfiguration's package.path."),
      executable: text.optional().describe('The edgeadm that the hosts get. Default: the one that runs.'),
      ssh: ssh.optional(),
      sites: z.array(site).optional(),
      hosts: z.array(host).min(1),
      rollout: rollout.optional(),
    }),
  })
  .describe('A cluster of edgeadm, for `edgeadm apply -f`.')

export type ClusterDocument = z.infer<typeof CLUSTER_SCHEMA>
export type HostEntry = z.infer<typeof host>
export type SshEntry = z.infer<typeof ssh>
export type SiteEntry = z.infer<typeof site>
export type RolloutEntry = z.infer<typeof rollout>
export type HostRole = HostEntry['role']

/** JSON schema (draft 2020-12) of the document, for editors. */
export function clusterJsonSchema(): unknown {
  return z.toJSONSchema(CLUSTER_SCHEMA)
}
