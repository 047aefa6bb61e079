/**
 * The one renderer. Every file that edgeadm writes to a machine or applies to a cluster is a file in templates/, in eta's
 * syntax with `it` as the data. An unknown name in a template is an error, never an empty string.
 */

import { readFileSync } from 'node:fs'
import { getAsset, isSea } from 'node:sea'
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import { EdgeadmError } from './output/errors.ts'

const eta = new Eta({ autoEscape: false, autoTrim: [false, 'nl'], cache: true })

/** A template's text as it lies in templates/. @throws EdgeadmError class `internal` if there is none of that name. */
export function templateText(name: string): string {
  try {
    if (isSea()) return getAsset(`templates/${name}`, 'utf8')
    return readFileSync(fileURLToPath(new URL(`../templates/${name}`, import.meta.url)), 'utf8')
  } catch (cause) {
    throw new EdgeadmError('internal', `there is no template ${name}`, { cause })
  }
}

/** Renders templates/`name` with `data`. @throws EdgeadmError class `internal` for an unknown template or variable. */
export function render(name: string, data: Readonly<Record<string, unknown>> = {}): string {
  return eta.renderString(templateText(name), strict(name, data))
}

/** Makes a missing variable an error instead of the text "undefined". */
function strict(name: string, data: Readonly<Record<string, unknown>>): object {
  return new Proxy(data, {
    get(target, key) {
      if (typeof key === 'symbol' || key in target) return Reflect.get(target, key)
      throw new EdgeadmError('internal', `the template ${name} uses the unknown variable ${key}`)
    },
  })
}
