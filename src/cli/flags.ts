import { Flag } from "effect/cli"

/** `--config`, of every command that reads the configuration. */
export const configFlag = Flag.String("config").pipe(
  Flag.withAlias("c"),
  Flag.withDescription("Configuration file; else MILLRACE_CONFIG, else ./millrace.yaml, .json or .toml"),
  Flag.optional
)

/** `--url`, of every command that can ask a server. */
export const urlFlag = Flag.String("url").pipe(
  Flag.withDescription("Ask a running server instead of the configured database"),
  Flag.filter(
    (url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ""),
    (url) => `Expected a URL such as http://127.0.0.1:8787, got ${JSON.stringify(url)}`
  ),
  Flag.optional
)

/** `--key`, of every command that can ask a server which asks for keys. */
export const keyFlag = Flag.Redacted("key").pipe(
  Flag.withDescription("The key to show to the server of --url; else MILLRACE_ADMIN_KEY"),
  Flag.optional
)

export const hostFlag = Flag.String("host").pipe(
  Flag.withDescription("Address to listen on; else HOST, else server.host, else 127.0.0.1"),
  Flag.optional
)

export const portFlag = Flag.Int("port").pipe(
  Flag.withAlias("p"),
  Flag.withDescription("Port to listen on, 0 for any free one; else PORT, else server.port, else 8787"),
  Flag.optional
)

/** `--json`, of every command that prints data. */
export const jsonFlag = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON"), Flag.withDefault(false))

/** How many of something, at least one. */
export const howManyFlag = (name: string, description: string, most = Infinity) =>
  Flag.Int(name).pipe(
    Flag.withAlias("n"),
    Flag.withDescription(description),
    Flag.filter(
      (count) => count >= 1 && count <= most,
      (count) => `Expected a whole number from 1 ${most === Infinity ? "on" : `to ${most}`}, got ${count}`
    )
  )
