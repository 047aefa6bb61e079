/** The inventory file: what it means, and what is said of each mistake. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseConfigFile } from '../../src/config/file.ts'
import { inventoryOf, shareOf } from '../../src/fleet/inventory.ts'
import { clusterJsonSchema } from '../../src/fleet/schema.ts'
import { EdgeadmError } from '../../src/output/errors.ts'
import { templateText } from '../../src/templates.ts'

const HEAD = 'apiVersion: edgeadm.io/v1alpha1\nkind: Cluster\nmetadata: {name: shop}\n'
const MASTER = '    - {name: m1, address: 10.0.0.1, role: master}\n'
const read = (text: string, environment: Record<string, string> = {}) =>
  inventoryOf(parseConfigFile(text, 'cluster.yaml'), '/somewhere', environment)
const hosts = (...lines: string[]) =>
  `${HEAD}spec:\n  hosts:\n${MASTER}${lines.map((line) => `    - ${line}\n`).join('')}`

function problemsOf(text: string): string[] {
  try {
    read(text)
  } catch (error) {
    if (!(error instanceof EdgeadmError)) throw error
    expect(error.class).toBe('usage')
    return error.details.length > 0 ? [...error.details] : [error.message]
  }
  throw new Error('nothing was refused')
}

test('the printed example is one that is accepted', () => {
  const { name, hosts, package: path, documents, sites } = read(templateText('fleet/cluster.yaml'))
  expect(name).toBe('shop')
  expect(hosts.map((host) => [host.name, host.role, host.site])).toEqual([
    ['master-1', 'master', undefined],
    ['worker-1', 'worker', undefined],
    ['till-1', 'edge', 'berlin'],
  ])
  expect(path).toBe('/somewhere/edgeadm-package.tar.zst')
  expect([...documents.keys()]).toEqual(['EdgeConfiguration'])
  expect(sites).toEqual(['berlin'])
})

test('the published JSON schema is the one that the types come from', () => {
  const published = JSON.parse(readFileSync('docs/cluster.schema.json', 'utf8')) as unknown
  expect(published, 'npm run build:schema writes it anew').toEqual(clusterJsonSchema())
})

test('ssh of a host beats that of its site, which beats that of the cluster', () => {
  const { hosts } = read(
    `${HEAD}spec:\n  ssh: {user: a, port: 1, jump: far}\n  sites: [{name: s, ssh: {port: 2, jump: near}}]\n  hosts:\n${MASTER}    - {name: e1, address: e1, role: edge, site: s, ssh: {jump: z}}\n`,
  )
  expect(hosts.map(({ ssh }) => [ssh.user, ssh.port, ssh.jump])).toEqual([
    ['a', 1, 'far'],
    ['a', 2, 'z'],
  ])
})

test('environment variables stand in values, and $$ is a dollar sign', () => {
  const text = hosts('{name: w1, address: $PLACE, role: worker, ssh: {jump: "$$x-$' + '{PLACE}"}}')
  const [, host] = read(text, { PLACE: '10.0.0.2' }).hosts
  expect(host?.address).toBe('10.0.0.2')
  expect(host?.ssh.jump).toBe('$x-10.0.0.2')
})

describe('one sentence per mistake, with file, line and field', () => {
  test.each([
    [
      'an unknown field',
      hosts('{name: w1, adress: 10.0.0.2, address: x, role: worker}'),
      ['cluster.yaml:7: spec.hosts[1].adress: there is no such field; did you mean address?'],
    ],
    [
      'an unknown role',
      hosts('{name: w1, address: 10.0.0.2, role: workr}'),
      [
        'cluster.yaml:7: spec.hosts[1].role: must be one of master, worker, edge, not the string "workr"; did you mean worker?',
      ],
    ],
    [
      'a field that is missing',
      hosts('{name: w1, role: worker}'),
      ['cluster.yaml:7: spec.hosts[1].address: is missing: a string'],
    ],
    [
      'a value of the wrong type',
      hosts('{name: w1, address: x, role: worker, labels: {a: 1}}'),
      ['cluster.yaml:7: spec.hosts[1].labels.a: must be a string, not the number 1; put it in quotes'],
    ],
    [
      'no master',
      `${HEAD}spec:\n  hosts:\n    - {name: w1, address: x, role: worker}\n`,
      ['cluster.yaml:5: spec.hosts: there is no host with role: master'],
    ],
    [
      'an unset variable',
      hosts('{name: w1, address: $NOWHERE, role: worker}'),
      [
        'cluster.yaml:7: spec.hosts[1].address: the environment variable NOWHERE is not set; write $$ for a dollar sign',
      ],
    ],
    [
      'a host twice',
      hosts('{name: m1, address: b, role: worker}'),
      [
        'cluster.yaml:7: spec.hosts[1].name: the host m1 is there a second time; the first is cluster.yaml:6: spec.hosts[0]',
      ],
    ],
    [
      "options of OpenSSH's where edgeadm itself connects",
      hosts('{name: w1, address: x, role: worker, ssh: {options: {ProxyCommand: nc %h 22}}}'),
      ['cluster.yaml:7: spec.hosts[1].ssh.options.ProxyCommand: is for ssh.transport: openssh'],
    ],
    [
      'options that would trust any host, and a password for OpenSSH',
      hosts(
        '{name: w1, address: x, role: worker, ssh: {transport: openssh, options: {stricthostkeychecking: "no"}, password: {env: P}}}',
      ),
      [
        'cluster.yaml:7: spec.hosts[1].ssh.password: transport: openssh logs in with keys, certificates and agents, not with a password',
        'cluster.yaml:7: spec.hosts[1].ssh.options.stricthostkeychecking: is set by edgeadm; ssh.knownHosts and ssh.hostKey say what is trusted',
      ],
    ],
    [
      'an address twice',
      hosts('{name: w1, address: 10.0.0.1, role: worker}'),
      [
        'cluster.yaml:7: spec.hosts[1].address: 10.0.0.1 is the address of m1, too (cluster.yaml:6: spec.hosts[0])',
      ],
    ],
    [
      'an unknown site',
      hosts('{name: w1, address: x, role: worker, site: berlin}'),
      ['cluster.yaml:7: spec.hosts[1].site: there is no site "berlin" in spec.sites'],
    ],
    [
      'a password',
      hosts('{name: w1, address: x, role: worker, ssh: {password: geheim}}'),
      [
        'cluster.yaml:7: spec.hosts[1].ssh.password: a password does not belong into this file: put it into an environment variable or a file, and name that ({env: NAME} or {file: PATH}), or use a key or ssh-agent',
      ],
    ],
    [
      'a name that no node can have',
      hosts('{name: W_1, address: x, role: worker}'),
      [/^cluster\.yaml:7: spec\.hosts\[1\]\.name: "W_1" is not a lowercase RFC 1123 subdomain/],
    ],
    [
      'several masters without an address for all',
      hosts('{name: m2, address: b, role: master}'),
      [/^cluster\.yaml: several masters need an address for all/],
    ],
    [
      'all masters absent',
      `${HEAD}spec:\n  hosts:\n    - {name: m1, address: x, role: master, state: absent}\n`,
      [/^cluster\.yaml:5: spec\.hosts: every master is absent/],
    ],
    [
      'a share that is none',
      `${HEAD}spec:\n  rollout: {maxUnavailable: some}\n  hosts:\n${MASTER}`,
      ['cluster.yaml:5: spec.rollout.maxUnavailable: must be a number, or a percentage such as 10%'],
    ],
    [
      'another document alone',
      'apiVersion: edgeadm.io/v1alpha1\nkind: EdgeConfiguration\n',
      [/has no document with kind: Cluster$/],
    ],
  ] as const)('%s', (_what, text, expected) => {
    const found = problemsOf(text)
    expect(found).toHaveLength(expected.length)
    expected.forEach((one, index) => {
      if (typeof one === 'string') expect(found[index]).toBe(one)
      else expect(found[index]).toMatch(one)
    })
  })

  test('all mistakes at once', () => {
    expect(problemsOf(hosts('{name: w1, adress: x, role: boss}', '{}'))).toHaveLength(6)
  })

  test('a secret is not repeated', () => {
    expect(
      problemsOf(hosts('{name: w1, address: x, role: worker, ssh: {sudoPassword: geheim}}')).join(),
    ).not.toContain('geheim')
  })
})

test.each([
  ['10%', 1, 1],
  ['10%', 5, 1],
  ['10%', 10, 1],
  ['10%', 99, 9],
  ['100%', 5, 5],
  [0, 5, 1],
  [3, 5, 3],
])('%s of %i is %i', (share, total, expected) => {
  expect(shareOf(share, total)).toBe(expected)
})

test('e1 is a name, and no number', () => {
  const { hosts: found } = read(
    hosts('{name: e1, address: e1, role: edge}', '{name: e2, address: 1e3x, role: edge}'),
  )
  expect(found.map(({ name }) => name)).toEqual(['m1', 'e1', 'e2'])
})
