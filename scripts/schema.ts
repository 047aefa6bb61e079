/** `npm run build:schema`: writes docs/cluster.schema.json, for editors, from the types of `kind: Cluster`. */

import { writeFileSync } from 'node:fs'
import { clusterJsonSchema } from '../src/fleet/schema.ts'

writeFileSync('docs/cluster.schema.json', `${JSON.stringify(clusterJsonSchema(), null, 2)}\n`)
