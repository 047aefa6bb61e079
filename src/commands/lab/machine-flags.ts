/** What the commands on one machine of a lab have in common. */

import { Args, Flags } from '@oclif/core'

export const LAB_FLAG = {
  lab: Flags.string({
    description: 'Name of the lab (default: the only one, or quickstart)',
    helpValue: 'NAME',
  }),
}

export const MACHINE_ARGUMENT = {
  machine: Args.string({
    ignoreStdin: true,
    description: 'Machine, as edgeadm lab list shows it',
    required: true,
  }),
}
