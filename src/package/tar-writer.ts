import { createReadStream } from 'node:fs'
import { Header } from 'tar'

/** One entry of an archive that is to come out the same each time: root's, dated 1970, in the order given. */
export interface TarItem {
  readonly path: string
  readonly type: 'File' | 'Directory' | 'SymbolicLink'
  /** Permission bits. */
  readonly mode: number
  /** Bytes; 0 unless a file. */
  readonly size: number
  /** A file's bytes, or the path of the file that has them. */
  readonly content?: Buffer | string
  /** A symbolic link's target. */
  readonly target?: string
  /** Raw value of the extended attribute security.capability (file capabilities). */
  readonly capability?: Buffer
}

const BLOCK = 512

/** The bytes of a POSIX tar archive. @throws Error if a file has another size than its item says */
export async function* tarChunks(items: Iterable<TarItem>): AsyncGenerator<Buffer> {
  for (const item of items) {
    const records = [
      ...(item.capability === undefined
        ? []
        : [paxRecord('SCHILY.xattr.security.capability', item.capability)]),
      ...(needsPax(item) ? [paxRecord('path', Buffer.from(item.path))] : []),
    ]
    if (records.length > 0) {
      const body = Buffer.concat(records)
      yield header({ path: 'PaxHeader', type: 'ExtendedHeader', mode: 0o644, size: body.length })
      yield body
      yield padding(body.length)
    }
    const path = needsPax(item) ? item.path.slice(-99) : item.path
    yield header({ ...item, path, ...(item.target === undefined ? {} : { linkpath: item.target }) })
    if (item.type !== 'File') continue
    let size = 0
    if (Buffer.isBuffer(item.content)) {
      size = item.content.length
      yield item.content
    } else if (item.content !== undefined) {
      for await (const chunk of createReadStream(item.content, { highWaterMark: 1 << 20 })) {
        size += chunk.length
        yield chunk
      }
    }
    if (size !== item.size) throw new Error(`${item.path} has ${size} bytes instead of ${item.size}`)
    yield padding(size)
  }
  yield Buffer.alloc(2 * BLOCK)
}

function header(data: {
  path: string
  type: TarItem['type'] | 'ExtendedHeader'
  mode: number
  size: number
  linkpath?: string
}): Buffer {
  const block = Buffer.alloc(BLOCK)
  const { path, type, mode, size, linkpath } = data
  new Header({
    path,
    type,
    mode,
    size,
    uid: 0,
    gid: 0,
    mtime: new Date(0),
    uname: '',
    gname: '',
    ...(linkpath === undefined ? {} : { linkpath }),
  }).encode(block)
  return block
}

/** Whether a path is too long or too special for a plain header. */
function needsPax(item: TarItem): boolean {
  return new Header({ path: item.path, type: item.type, size: item.size, mode: item.mode }).encode(
    Buffer.alloc(BLOCK),
  )
}

/** "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}
