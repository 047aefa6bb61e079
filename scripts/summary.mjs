// Adds up vitest's JSON reports and prints the closing line. A report that is missing or empty is a failure.
import { readFileSync } from 'node:fs'

const total = { passed: 0, failed: 0, skipped: 0 }
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  total.passed += report.numPassedTests
  // A file that could not even be loaded has no failed test of its own.
  total.failed += Math.max(report.numFailedTests, report.success ? 0 : 1)
  total.skipped += report.numPendingTests + report.numTodoTests
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'failed') console.log(`FAILED ${test.fullName}`)
      if (test.status === 'skipped' || test.status === 'pending') console.log(`skipped ${test.fullName}`)
    }
  }
}
console.log(`${total.skipped} skipped`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0)
