/** The state of a cluster for node_exporter's textfile collector (Prometheus' text format, version 0.0.4). */

import type { ClusterStatus } from './status.ts'

interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export function metricsOf(status: ClusterStatus, now: number = Date.now()): string {
  const { nodes, parts, problems, master } = status
  const lines: string[] = []
  const gauge = (name: string, help: string, samples: readonly Sample[]): void => {
    if (samples.length === 0) return
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`)
    for (const { labels = {}, value } of samples) {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
      lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`)
    }
  }
  gauge('edgeadm_status_timestamp_seconds', 'When this was asked.', [{ value: Math.floor(now / 1000) }])
  gauge('edgeadm_problems', 'What needs hands, as `edgeadm status` lists it.', [{ value: problems.length }])
  gauge(
    'edgeadm_node_ready',
    'Whether a node is Ready.',
    nodes.map(({ name, roles, ready }) => ({
      labels: { node: name, role: roles[0] ?? 'worker' },
      value: Number(ready),
    })),
  )
  gauge(
    'edgeadm_node_last_seen_seconds',
    'Seconds since a node renewed its lease.',
    nodes.flatMap(({ name, seen }) => (seen === undefined ? [] : [{ labels: { node: name }, value: seen }])),
  )
  gauge(
    'edgeadm_edge_part_missing',
    'How many Pods of an edge part do not run.',
    parts.map(({ name, wanted, ready }) => ({ labels: { part: name }, value: Math.max(0, wanted - ready) })),
  )
  if (master !== undefined) {
    gauge(
      'edgeadm_certificate_expiry_timestamp_seconds',
      'When a certificate ends.',
      master.certificates.map(({ name, node = '', notAfter }) => ({
        labels: { name, node },
        value: Date.parse(notAfter) / 1000,
      })),
    )
    gauge(
      'edgeadm_etcd_member_healthy',
      'Whether a member of etcd is healthy.',
      (master.etcd?.members ?? []).map(({ name, problem }) => ({
        labels: { member: name },
        value: Number(problem === null),
      })),
    )
    if (master.lastBackup !== undefined)
      gauge('edgeadm_last_backup_timestamp_seconds', 'When the newest backup was made.', [
        { value: Math.floor(Date.parse(master.lastBackup.time) / 1000) },
      ])
    gauge('edgeadm_drift', "How many of edgeadm's changes on this master are different by now.", [
      { value: master.drift },
    ])
  }
  return `${lines.join('\n')}\n`
}

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
