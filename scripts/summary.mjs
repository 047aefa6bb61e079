// Adds up vitest's JSON reports: what was skipped, what failed and why, and the closing line "N passed, N failed". A report
// that is missing or empty is a failure. So is a file whose preparation failed: its tests count as skipped for vitest.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

/** Lines of a failure's message that are shown here; the whole of it is in the report. */
const LINES = 20

const total = { passed: 0, failed: 0, skipped: 0 }
const failures = []
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  total.passed += report.numPassedTests
  let failed = 0
  for (const file of report.testResults) {
    const name = relative(process.cwd(), file.name)
    const skipped = file.assertionResults.filter(({ status }) => status === 'skipped' || status === 'pending')
    const broken = file.assertionResults.filter(({ status }) => status === 'failed')
    if (skipped.length > 0)
      console.log(`skipped ${skipped.length} of ${file.assertionResults.length} in ${name}`)
    for (const test of broken)
      failures.push([`FAILED ${name}: ${test.fullName}`, test.failureMessages.join('\n')])
    if (file.status === 'failed' && broken.length === 0)
      failures.push([`FAILED ${name}, before its tests`, file.message ?? ''])
    failed += Math.max(broken.length, file.status === 'failed' ? 1 : 0)
  }
  // Something else than a test can fail, such as an error that nobody caught.
  total.failed += Math.max(failed, report.success ? 0 : 1)
  total.skipped += report.numPendingTests + report.numTodoTests
}
for (const [title, message] of failures) {
  console.log(title)
  for (const line of message.split('\n').slice(0, LINES)) console.log(`    ${line}`)
}
console.log(`${total.skipped} skipped`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0)
