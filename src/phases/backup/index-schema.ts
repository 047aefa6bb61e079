import { z } from 'zod'
import { unsafePath } from '../../package/paths.ts'
import { BACKUP_SCHEMA, SNAPSHOT } from './format.ts'

/** Files of a backup are looked up, and put back, by these paths: none of them may lead out of the folder. */
const path = z
  .string()
  .refine((text) => !unsafePath(text), { message: 'leads out of the backup' })
  .refine((text) => text === SNAPSHOT || /^(files|objects)\//.test(text), {
    message: 'is not a file that a backup has',
  })

/** What `backup.json` has to be: whoever wrote the file wrote this, too. */
export const BACKUP_INDEX = z.object({
  schema: z.literal(BACKUP_SCHEMA),
  time: z.iso.datetime(),
  edgeadmVersion: z.string(),
  node: z.string(),
  address: z.string(),
  cluster: z.string().regex(/^[0-9a-f]{64}$/),
  kubernetesVersion: z.string().regex(/^v\d+\.\d+\.\d+/),
  package: z.object({ edgeVersion: z.string(), sha256: z.string() }).optional(),
  etcd: z.object({
    image: z.string(),
    state: z.object({
      revision: z.number(),
      hash: z.number(),
      compactRevision: z.number(),
      keys: z.number(),
    }),
    members: z.array(z.string()),
  }),
  // These and no others: they become flags of init.
  flags: z.object({
    cni: z.string().optional(),
    'enable-edge': z.boolean().optional(),
    'cloud-address': z.array(z.string()).optional(),
    ha: z.string().optional(),
  }),
  files: z.array(
    z.object({
      path,
      mode: z.number().int().min(0).max(0o7777),
      size: z.number().int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
})
