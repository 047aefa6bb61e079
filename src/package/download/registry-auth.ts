import { readFileSync } from 'node:fs'
import { EdgeadmError, messageOf } from '../../output/errors.ts'

/** What a registry is logged in to with. Secret. */
export interface Login {
  readonly username: string
  readonly password: string
}

/** By host, as Docker's configuration file has them. */
export type Credentials = (registry: string) => Login | undefined

/** Docker Hub is called by an URL of its own in Docker's file. */
const DOCKER_HUB = ['docker.io', 'index.docker.io', 'registry-1.docker.io']

/**
 * Reads the `auths` of a Docker configuration file (`docker login`, `podman login` and `kubectl create secret
 * docker-registry` write it). Helpers that it names (`credHelpers`, `credsStore`) are not started.
 * @throws EdgeadmError class `usage`
 */
export function readCredentials(path: string): Credentials {
  let auths: Record<string, { auth?: unknown; username?: unknown; password?: unknown }>
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as { auths?: typeof auths }
    auths = value.auths ?? {}
  } catch (error) {
    // A parser's message would show the file's text, and that is secret.
    const why = error instanceof SyntaxError ? 'it is not JSON' : messageOf(error)
    throw new EdgeadmError('usage', `the registry credentials in ${path} cannot be read: ${why}`, {
      fix: 'name a file in the format of ~/.docker/config.json, as `docker login` writes it',
    })
  }
  const logins = new Map<string, Login>()
  for (const [name, entry] of Object.entries(auths)) {
    const login = loginOf(entry)
    if (login !== undefined) logins.set(hostOf(name), login)
  }
  if (logins.size === 0)
    throw new EdgeadmError(
      'usage',
      `${path} holds no login: its "auths" have neither "auth" nor "username" and "password"`,
      {
        fix: 'log in where no credential helper is set up, so that the file itself holds the login',
      },
    )
  return (registry) => {
    const names = DOCKER_HUB.includes(registry) ? DOCKER_HUB : [registry]
    return names.map((name) => logins.get(name)).find((login) => login !== undefined)
  }
}

function loginOf(entry: { auth?: unknown; username?: unknown; password?: unknown }): Login | undefined {
  if (typeof entry?.username === 'string' && typeof entry.password === 'string')
    return { username: entry.username, password: entry.password }
  if (typeof entry?.auth !== 'string') return undefined
  const text = Buffer.from(entry.auth, 'base64').toString('utf8')
  const at = text.indexOf(':')
  return at < 1 ? undefined : { username: text.slice(0, at), password: text.slice(at + 1) }
}

function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
}
