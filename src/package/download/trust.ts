import * as tls from 'node:tls'

let done = false

/**
 * Lets downloads trust the authorities of this machine beside those that Node brings: a site puts the one of its own mirror
 * there. It is set for the process, once, since a list that is given with each connection is read anew each time. Whoever
 * checks a server against a CA of its own is not touched. Old versions of Node cannot do it.
 */
export function trustSystemAuthorities(): void {
  if (done || typeof tls.setDefaultCACertificates !== 'function') return
  done = true
  tls.setDefaultCACertificates([
    ...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')]),
  ])
}
