import { defineConfig } from 'vitest/config'

const shared = { disableConsoleIntercept: true, restoreMocks: true, unstubEnvs: true }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', 'node_modules/**'],
          testTimeout: 20_000,
        },
      },
      {
        // Booted machines share two cores: one file at a time, and generous limits that only catch a hang.
        test: {
          ...shared,
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
})
