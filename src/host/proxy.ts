/**
 * The proxy of the caller's environment. edgeadm's own commands never get it (system-environment.ts): kubeadm would copy it
 * into the static Pods. What pulls images from outside does.
 */

/** The names that Go programs read, lower case after upper case (golang.org/x/net/http/httpproxy). */
export interface Proxy {
  readonly http: string | undefined
  readonly https: string | undefined
  /** Hosts, domains and networks, as given. */
  readonly except: readonly string[]
}

/** @returns undefined if the environment names no proxy */
export function callerProxy(environment: NodeJS.ProcessEnv = process.env): Proxy | undefined {
  const read = (name: string): string | undefined =>
    environment[name]?.trim() || environment[name.toLowerCase()]?.trim() || undefined
  const [http, https] = [read('HTTP_PROXY'), read('HTTPS_PROXY')]
  if (http === undefined && https === undefined) return undefined
  const except = (read('NO_PROXY') ?? '').split(',').map((one) => one.trim())
  return { http, https, except: except.filter((one) => one !== '') }
}
