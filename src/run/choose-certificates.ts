/** Which certificates `edgeadm certs renew` renews. */

import { stateOf } from '../kubernetes/expiry.ts'
import type { FoundCertificate } from '../kubernetes/node-certificates.ts'
import { EdgeadmError } from '../output/errors.ts'
import { nearest } from '../output/nearest.ts'
import { CLOUDCORE } from '../phases/certs/context.ts'

/**
 * Without names: all of kubeadm's, and of the others those that end soon. What renews itself is left alone, unless it did not.
 * @throws EdgeadmError class `usage` for a name that no certificate has, `preflight` for one that is not here
 */
export function choose(
  wanted: readonly string[],
  found: readonly FoundCertificate[],
  isMaster: boolean,
): string[] {
  const known = new Map(found.map((one) => [one.name, one]))
  if (wanted.length === 0 || (wanted.length === 1 && wanted[0] === 'all'))
    return found.flatMap((one) => {
      const { level } = stateOf(one, one.certificate)
      const isCloud = (CLOUDCORE as readonly string[]).includes(one.name)
      if (one.renewal === 'by hand') return []
      if (one.renewal === 'automatic' && one.name === 'edgecore')
        return level === 'expired' ? [refuseEdge()] : []
      return one.renewal === 'automatic' || isCloud ? (level === 'ok' ? [] : [one.name]) : [one.name]
    })
  for (const name of wanted) {
    const one = known.get(name)
    if (name === 'edgecore' && one !== undefined) refuseEdge()
    if (one?.renewal === 'by hand')
      throw new EdgeadmError(
        'usage',
        `${name} is not renewed by a command: all who trust it have to be told of the new one`,
        {
          fix: 'docs/certificates.md says how',
        },
      )
    if (one !== undefined) continue
    const all = [...known.keys()]
    const meant = nearest(name, all)
    throw new EdgeadmError(
      'usage',
      `there is no certificate ${name} on this machine${isMaster ? '' : ', which is no master'}`,
      {
        fix: `${meant === undefined ? '' : `did you mean ${meant}? `}\`edgeadm certs status\` shows what is here`,
      },
    )
  }
  return [...new Set(wanted)]
}

function refuseEdge(): never {
  throw new EdgeadmError(
    'preflight',
    "edgecore renews this node's certificate by itself, as long as it is valid",
    {
      fix: 'once it has ended: `edgeadm reset` here and `edgeadm join` with a new join line (`edgeadm token create --print-join-command` on a master)',
    },
  )
}
