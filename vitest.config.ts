import { defineConfig } from 'vitest/config'

const shared = { disableConsoleIntercept: true, restoreMocks: true, unstubEnvs: true }

/** On booted machines: generous limits that only catch a hang. */
const machines = { testTimeout: 600_000, hookTimeout: 1_800_000 }

/** What measures gaps of a second, or looks at what is left on the host, has the host for itself. */
const ALONE = ['test/lab/ha.test.ts', 'test/lab/lab.test.ts']

/** What takes too long for every run: `npm run test:life`. */
const LIFE = ['backup', 'masters-life'].map((name) => `test/lab/${name}.test.ts`)
/** `npm run test:long`. */
const LONG = ['superedge', 'ha-external', 'online', 'assert-offline', 'fleet-masters', 'fleet-openssh'].map(
  (name) => `test/lab/${name}.test.ts`,
)

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', 'test/vm/**', 'test/versions/**', 'node_modules/**'],
          testTimeout: 20_000,
        },
      },
      {
        // Much of their time is waiting, so two files at once suit two cores.
        test: {
          ...shared,
          ...machines,
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          exclude: [...ALONE, ...LIFE, ...LONG],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          ...machines,
          name: 'lab-alone',
          include: ALONE,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: { ...shared, ...machines, name: 'life', include: LIFE, maxWorkers: 1 },
      },
      {
        test: { ...shared, ...machines, name: 'long', include: LONG, maxWorkers: 2 },
      },
      {
        // Long: not part of `npm test`.
        test: {
          ...shared,
          ...machines,
          testTimeout: 1_800_000,
          name: 'versions',
          include: ['test/versions/**/*.test.ts'],
          maxWorkers: 1,
        },
      },
      {
        test: {
          ...shared,
          ...machines,
          testTimeout: 1_800_000,
          name: 'vm',
          include: ['test/vm/**/*.test.ts'],
        },
      },
    ],
  },
})
