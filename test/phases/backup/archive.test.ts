import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { create } from 'tar'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  describe as describeFile,
  openArchive,
  readIndex,
  writeArchive,
} from '../../../src/phases/backup/archive.ts'
import {
  BACKUP_SCHEMA,
  type BackupIndex,
  backupName,
  INDEX,
  parseBackupName,
} from '../../../src/phases/backup/format.ts'

let directory = ''
beforeEach(async () => {
  directory = await fs.mkdtemp(join(tmpdir(), 'edgeadm-archive-'))
})
afterEach(() => fs.rm(directory, { recursive: true }))

const KEY = 'files/etc/kubernetes/pki/ca.key'

async function indexFor(work: string): Promise<BackupIndex> {
  await fs.mkdir(join(work, 'files/etc/kubernetes/pki'), { recursive: true })
  await fs.writeFile(join(work, 'etcd.db'), randomBytes(300_000), { mode: 0o600 })
  await fs.writeFile(join(work, KEY), 'not a real key\n', { mode: 0o600 })
  return {
    schema: BACKUP_SCHEMA,
    time: '2027-01-02T03:04:05.000Z',
    edgeadmVersion: '0.1.0',
    node: 'master-1',
    address: '192.0.2.1',
    cluster: 'ab'.repeat(32),
    kubernetesVersion: 'v1.33.13',
    package: undefined,
    etcd: {
      image: 'etcd:3',
      state: { revision: 7, hash: 1, compactRevision: 0, keys: 4 },
      members: ['master-1'],
    },
    flags: { cni: 'flannel' },
    files: [await describeFile(work, 'etcd.db'), await describeFile(work, KEY)],
  }
}

async function made(recipients: readonly string[] = []): Promise<{ path: string; index: BackupIndex }> {
  const work = join(directory, 'work')
  await fs.mkdir(work)
  const index = await indexFor(work)
  const path = join(directory, `backup.tar.gz${recipients.length > 0 ? '.age' : ''}`)
  await writeArchive(work, index, path, recipients)
  return { path, index }
}

async function opened(path: string, identity?: string) {
  const target = join(directory, `open-${randomBytes(4).toString('hex')}`)
  await fs.mkdir(target, { mode: 0o700 })
  return openArchive(path, target, identity)
}

describe('a backup', () => {
  test('comes back as it was, for root alone', async () => {
    const { path, index } = await made()
    expect((await fs.stat(path)).mode & 0o777).toBe(0o600)
    expect(await readIndex(path)).toEqual(JSON.parse(JSON.stringify(index)))
    const { directory: target } = await opened(path)
    expect(await fs.readFile(join(target, KEY), 'utf8')).toBe('not a real key\n')
    expect(await fs.readFile(join(target, 'etcd.db'))).toEqual(
      await fs.readFile(join(directory, 'work/etcd.db')),
    )
  })

  test('cut short, at any place, is refused', async () => {
    const { path } = await made()
    const whole = await fs.readFile(path)
    for (const length of [0, 100, Math.floor(whole.length / 2), whole.length - 1]) {
      await fs.writeFile(path, whole.subarray(0, length))
      await expect(opened(path)).rejects.toThrow('is no whole backup of edgeadm')
    }
  })

  test('with a flipped bit is refused', async () => {
    const { path } = await made()
    const bytes = await fs.readFile(path)
    const middle = Math.floor(bytes.length / 2)
    bytes[middle] = (bytes[middle] ?? 0) ^ 1
    await fs.writeFile(path, bytes)
    await expect(opened(path)).rejects.toThrow('is no whole backup of edgeadm')
  })

  test('with another file than the listed one is refused', async () => {
    const work = join(directory, 'work')
    await fs.mkdir(work)
    const index = await indexFor(work)
    await fs.writeFile(join(work, KEY), 'another key\n')
    const path = join(directory, 'backup.tar.gz')
    await writeArchive(work, index, path, [])
    await expect(opened(path)).rejects.toThrow(`${KEY} is not as it was written`)
  })

  test.each([
    ['files/etc/kubernetes/pki/../../../root/.ssh/authorized_keys'],
    ['/etc/shadow'],
    ['../outside'],
    ['objects//a'],
    ['.bashrc'],
  ])('whose list names %s is refused', async (path) => {
    const work = join(directory, 'work')
    await fs.mkdir(work)
    const index = await indexFor(work)
    await fs.writeFile(
      join(work, INDEX),
      JSON.stringify({ ...index, files: [...index.files, { ...index.files[1], path }] }),
    )
    const file = join(directory, 'forged.tar.gz')
    await create({ cwd: work, gzip: true, file }, [INDEX, 'etcd.db', KEY])
    await expect(opened(file)).rejects.toThrow(/is no whole backup of edgeadm: backup.json: files.2.path/)
    await expect(readIndex(file)).rejects.toThrow('is no whole backup of edgeadm')
  })

  test('with a link in the place of a file is refused, and what it leads to is not touched', async () => {
    const work = join(directory, 'work')
    await fs.mkdir(work)
    const index = await indexFor(work)
    const victim = join(directory, 'victim')
    await fs.writeFile(victim, 'not a real key\n', { mode: 0o644 })
    await fs.rm(join(work, KEY))
    await fs.symlink(victim, join(work, KEY))
    await fs.writeFile(join(work, INDEX), JSON.stringify(index))
    const file = join(directory, 'forged.tar.gz')
    await create({ cwd: work, gzip: true, file }, [INDEX, 'etcd.db', KEY])
    await expect(opened(file)).rejects.toThrow(`${KEY} is not in it`)
    expect((await fs.stat(victim)).mode & 0o777).toBe(0o644)
  })

  test('takes the place of a link at its target, and leaves alone what that leads to', async () => {
    const victim = join(directory, 'victim')
    await fs.writeFile(victim, 'somebody else reads this\n', { mode: 0o666 })
    await fs.symlink(victim, join(directory, 'backup.tar.gz'))
    const { path } = await made()
    expect(await fs.readFile(victim, 'utf8')).toBe('somebody else reads this\n')
    expect((await fs.lstat(path)).isFile()).toBe(true)
    expect((await fs.stat(path)).mode & 0o777).toBe(0o600)
  })

  test('encrypted with age: only its identity opens it', async () => {
    const identity = await generateIdentity()
    const { path } = await made([await identityToRecipient(identity)])
    expect((await fs.readFile(path)).includes('not a real key')).toBe(false)
    expect(await readIndex(path)).toBeUndefined()
    await expect(opened(path)).rejects.toThrow('is encrypted')
    await expect(opened(path, await generateIdentity())).rejects.toThrow('cannot be decrypted')
    expect((await opened(path, `# a comment\n${identity}\n`)).index.node).toBe('master-1')
    const bytes = await fs.readFile(path)
    await fs.writeFile(path, bytes.subarray(0, bytes.length - 100))
    await expect(opened(path, identity)).rejects.toThrow()
  })
})

test('names say the cluster and the time, and nothing else is a backup', () => {
  const name = backupName('ab'.repeat(32), Date.UTC(2027, 0, 2, 3, 4, 5), true)
  expect(name).toBe('edgeadm-abababab-20270102T030405Z.tar.gz.age')
  expect(parseBackupName(name)).toEqual({
    cluster: 'abababab',
    time: '2027-01-02T03:04:05Z',
    encrypted: true,
  })
  for (const other of ['etcd.db', 'edgeadm-abababab-20270102T030405Z.tar.gz.making-1', '../edgeadm-x'])
    expect(parseBackupName(other)).toBeUndefined()
})
