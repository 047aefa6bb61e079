/** How a host can fail to be worked on, apart from what edgeadm on it says. */

/** Nobody answers: the host may be off, or the network in between. It is not the host's failure. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** The connection broke; what was begun on the host goes on or not. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}
