/** A lab: booted machines in a network of their own on this one host. What other parts of edgeadm use of it. */

export type { CommandOptions, CommandResult } from './command.ts'
export { type CreateLabOptions, checkNewLab, createLab } from './create.ts'
export { cutMachine, healMachine } from './cut.ts'
export { deleteLab } from './delete.ts'
export { type Aspect, type Difference, diffMachine } from './diff.ts'
export { attachInMachine, probeInMachine, runInMachine } from './exec.ts'
export { type LabListing, listLabs, type MachineListing } from './list.ts'
export { type MachineCounts, type MachineSpec, NETWORK, type Role } from './names.ts'
export { DEFAULT_LAB, machinePaths, networkNamespace } from './paths.ts'
export { killMachine, startMachine } from './power.ts'
export { requireRoot } from './requirements.ts'
export { defaultLab, type LabState, labNames, machineOf, readLab } from './state.ts'
