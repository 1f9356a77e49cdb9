import { asksForKeys } from "./authentication.ts"
import type { Document } from "./Document.ts"
import type { Finding, Problem } from "./problems.ts"
import { field } from "./substitute.ts"
import { expectedPort, parsePort } from "./units.ts"

/** What the command line says; it wins over the environment, which wins over the document. */
export interface Flags {
  readonly config?: string | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
}

type Environment = ReadonlyMap<string, string>

const loopback = /^(127\.\d+\.\d+\.\d+|\[?::1\]?|localhost|.+\.localhost)$/i

/** Whether only this machine can reach what listens on a host. */
export const isLoopback = (host: string): boolean => loopback.test(host)

/** The server's settings with what the environment and the command line say. */
export const listening = (server: Document["server"], environment: Environment, flags: Flags): Document["server"] => {
  const port = flags.port ?? parsePort(environment.get("PORT") ?? "")
  const host = flags.host ?? environment.get("HOST")
  return { ...server, ...(port === undefined ? {} : { port }), ...(host === undefined ? {} : { host }) }
}

/** What is wrong with the port that the environment or the command line asks for. */
export const portProblems = (environment: Environment, flags: Flags): ReadonlyArray<Problem> => {
  const said = flags.port ?? environment.get("PORT")
  if (said === undefined || parsePort(said) !== undefined) return []
  const message = `${JSON.stringify(said)} is not accepted; write ${expectedPort}`
  return [{ path: flags.port === undefined ? "PORT" : "--port", message }]
}

/**
 * Refuses a host that other machines reach, unless the document says that they may. Asked of the plain data: who may
 * come in does not depend on the rest of the document.
 */
export const exposure = (
  document: unknown,
  environment: Environment,
  flags: Flags
): { readonly findings: ReadonlyArray<Finding>; readonly problems: ReadonlyArray<Problem> } => {
  const host = flags.host ?? environment.get("HOST") ?? field(document, "server", "host")
  const isGuarded = field(document, "auth", "mode") === "open" || asksForKeys(document)
  if (typeof host !== "string" || isLoopback(host) || isGuarded) return { findings: [], problems: [] }
  const message =
    `${JSON.stringify(host)} can be reached by other machines, and nobody is asked for a key; ask for keys with ` +
    "auth: { mode: keys }, listen on 127.0.0.1, or say auth: { mode: open } if whoever reaches it may use it"
  if (flags.host !== undefined) return { findings: [], problems: [{ path: "--host", message }] }
  return environment.has("HOST")
    ? { findings: [], problems: [{ path: "HOST", message }] }
    : { findings: [{ path: ["server", "host"], message }], problems: [] }
}

/** Whether a provider's URL is this server itself: its calls would go round until the machine is full. */
const isItself = (url: string, { host, port }: Document["server"]): boolean => {
  const parsed = URL.parse(url)
  const hostname = parsed?.hostname.replace(/^\[|\]$/g, "") ?? ""
  const same = hostname === host || ((isLoopback(host) || host === "0.0.0.0" || host === "::") && isLoopback(hostname))
  return port !== 0 && same && parsed?.protocol === "http:" && Number(parsed.port || 80) === port
}

/** Providers of a document that are this server itself. */
export const selfReferences = (
  { server, providers = {} }: Document,
  listening: Document["server"]
): ReadonlyArray<Finding> =>
  Object.entries(providers).flatMap(([name, { baseUrl }]) =>
    baseUrl !== undefined && (isItself(baseUrl, listening) || isItself(baseUrl, server))
      ? [{ path: ["providers", name, "baseUrl"], message: "is this server itself; write where the provider is" }]
      : []
  )

/**
 * The environment without variables that lead here. They are set for the programs that call this server, and found by a
 * server that is started from the same shell.
 */
export const withoutOwnUrl = (
  environment: Environment,
  variables: ReadonlyArray<string>,
  server: Document["server"]
): { readonly environment: Environment; readonly warnings: ReadonlyArray<Problem> } => {
  const own = variables.filter((name) => isItself(environment.get(name) ?? "", server))
  return {
    environment: new Map(Array.from(environment).filter(([name]) => !own.includes(name))),
    warnings: own.map((path) => ({ path, message: "is this server itself, and is left out of account" }))
  }
}
