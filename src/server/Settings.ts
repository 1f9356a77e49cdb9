import { Context } from "effect"

/** How the HTTP server behaves. Times are in milliseconds, sizes in bytes. */
export interface ServerSettings {
  readonly host: string
  /** 0 takes any free port */
  readonly port: number
  /** origins of web pages, beside its own, that may call the server; `*` for all */
  readonly allowedOrigins: ReadonlyArray<string>
  readonly bodyLimit: number
  /** silence after which a stream is told that the connection lives; `Infinity` for never */
  readonly keepAliveMs: number
  /** how long a caller of a stream may take nothing before it counts as gone */
  readonly stallLimitMs: number
  /** how long streams may go on after the process was told to end */
  readonly shutdownGraceMs: number
}

/** How the server behaves where nobody says otherwise. */
export const defaultServerSettings: ServerSettings = {
  host: "127.0.0.1",
  port: 8787,
  allowedOrigins: [],
  bodyLimit: 32 * 1024 * 1024,
  keepAliveMs: 15_000,
  stallLimitMs: 60_000,
  shutdownGraceMs: 20_000
}

/** The settings of a `Server`; provide it to change them. */
export const Settings = Context.Reference<ServerSettings>("millrace/server/Settings", {
  defaultValue: () => defaultServerSettings
})
