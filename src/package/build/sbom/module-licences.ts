/** The licences of Go modules: the files in the module itself, as Go's module cache has it. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../../output/errors.ts'
import type { Reporting } from '../../../output/events.ts'
import { tool } from '../command.ts'
import type { GoModule } from './go-build-info.ts'

const LICENCE_FILE = /^(licen[cs]e|copying|notice|patents)/i

/**
 * Texts of each module's licences, by `path@version`. A module that is not in the cache is downloaded. Where Go is not installed
 * or a module cannot be had, its entry is missing, and a warning says so.
 */
export async function moduleLicences(
  modules: readonly GoModule[],
  { emit, signal }: Reporting,
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  let cache: string
  try {
    cache = (await tool('asking Go for its module cache', 'go', ['env', 'GOMODCACHE'], { signal })).trim()
  } catch (error) {
    signal.throwIfAborted()
    if (modules.length > 0)
      emit({
        type: 'warning',
        text: `the package gets no texts of Go modules' licences: ${messageOf(error)}`,
      })
    return found
  }
  for (const module of modules) {
    const name = `${module.path}@${module.version}`
    try {
      found.set(name, await texts(join(cache, moduleFolder(module))).catch(() => download(name, signal)))
    } catch (error) {
      signal.throwIfAborted()
      emit({
        type: 'warning',
        text: `the package gets no text of the licence of ${name}: ${messageOf(error)}`,
      })
    }
  }
  return found
}

async function download(name: string, signal: AbortSignal): Promise<string[]> {
  const answer = await tool(`downloading ${name}`, 'go', ['mod', 'download', '-json', name], {
    signal,
    env: { GOWORK: 'off', GOFLAGS: '' },
  })
  return texts((JSON.parse(answer) as { Dir: string }).Dir)
}

async function texts(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => LICENCE_FILE.test(name)).sort()
  const contents = await Promise.all(
    names.map((name) => readFile(join(folder, name), 'utf8').catch(notAFile)),
  )
  return contents.filter((text) => text !== '')
}

function notAFile(error: NodeJS.ErrnoException): string {
  if (error.code === 'EISDIR') return ''
  throw error
}

/** Where Go's cache has a module: upper-case letters are written `!x` (golang.org/x/mod/module, EscapePath). */
function moduleFolder({ path, version }: GoModule): string {
  return `${path}@${version}`.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)
}

/** SPDX identifier -> words that only this licence has. The first that fits. */
const WORDS: readonly (readonly [string, RegExp])[] = [
  ['Apache-2.0', /Apache License,? Version 2\.0/i],
  ['MPL-2.0', /Mozilla Public License,? [Vv]ersion 2\.0/],
  ['EPL-1.0', /Eclipse Public License - v 1\.0/],
  ['ISC', /Permission to use, copy, modify, and(?:\/or)? distribute this software for any purpose/],
  ['MIT', /Permission is hereby granted, free of charge, to any person obtaining a copy/],
  ['BSD-3-Clause', /Redistribution and use in source and binary forms[\s\S]*Neither the name/],
  ['BSD-2-Clause', /Redistribution and use in source and binary forms/],
  ['Unlicense', /This is free and unencumbered software released into the public domain/],
]

/** The licence that a text is, as far as its words tell: an SPDX identifier, or undefined. */
export function licenceOf(text: string): string | undefined {
  const plain = text.replaceAll(/\s+/g, ' ')
  return WORDS.find(([, words]) => words.test(plain))?.[0]
}
