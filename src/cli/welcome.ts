import type { Configuration } from "../config/Configuration.ts"
import { columns, describeSource, describeStorage } from "./describe.ts"
import type { ProgramFacts } from "./Program.ts"

/** What `serve` says once it listens at `url`: what to try, where records are, which providers there are. */
export const welcome = (
  configuration: Configuration,
  { version, command }: Pick<ProgramFacts, "version" | "command">,
  url: string
): string => {
  const off = offLine(configuration, command)
  const asks = configuration.auth.mode === "keys"
  const models = Object.keys(configuration.models)
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["Providers", configuration.providers.map(({ name }) => name).join(", ") || "none"],
    ...(off === "" ? [] : [["Off", off] as const]),
    ...(models.length === 0 ? [] : [["Models", models.join(", ")] as const]),
    ["", `all models: ${url}/v1/models; any other as <provider>/<model>`],
    ["Records", `${describeStorage(configuration)}; ${url}/v1/calls, ${command} calls list`],
    ["Configuration", describeSource(configuration)]
  ]
  return [
    `Millrace ${version} listens on ${url}`,
    `Try\n${tryLines(url, modelToTry(configuration), asks ? bearer : "")}`,
    `With an SDK, change the base URL (${asks ? `and the key: ${command} keys create <name>` : "any key will do"})\n${sdkLines(url, asks ? "mr-…" : "any")}`,
    columns(rows, ""),
    ...rehearsal(configuration, command)
  ].join("\n\n")
}

const noKey = " is not set"
const mostShown = 5

/** The first of the providers that are off, and what turns them on; empty where all are on. */
const offLine = ({ off }: Configuration, command: string): string => {
  const shown = off
    .slice(0, mostShown)
    .map(({ name, why }) => `${name} (${why.endsWith(noKey) ? `set ${why.slice(0, -noKey.length)}` : why})`)
  const hidden = off.length - shown.length
  return [...shown, ...(hidden === 0 ? [] : [`and ${hidden} more that ${command} check lists`])].join(", ")
}

const simulatorOf = ({ providers }: Configuration): string | undefined =>
  providers.find(({ _tag }) => _tag === "Simulator")?.name

const modelToTry = (configuration: Configuration): string => {
  const simulator = simulatorOf(configuration)
  if (simulator !== undefined) return `${simulator}/echo`
  return Object.keys(configuration.models)[0] ?? `${configuration.providers[0]?.name ?? "<provider>"}/<model>`
}

const bearer = ` -H "authorization: Bearer $MILLRACE_KEY"`

const tryLines = (
  url: string,
  model: string,
  key: string
): string => `  curl -N ${url}/v1/chat/completions${key} -H 'content-type: application/json' \\
    -d '{"model":"${model}","stream":true,"messages":[{"role":"user","content":"hello"}]}'
  curl -N ${url}/v1/messages${key} -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' \\
    -d '{"model":"${model}","max_tokens":200,"stream":true,"messages":[{"role":"user","content":"hello"}]}'`

const sdkLines = (url: string, key: string): string => `  new OpenAI({ baseURL: "${url}/v1", apiKey: "${key}" })
  new Anthropic({ baseURL: "${url}", apiKey: "${key}" })`

const rehearsal = (configuration: Configuration, command: string): ReadonlyArray<string> => {
  const simulator = simulatorOf(configuration)
  const inside =
    simulator === undefined
      ? []
      : [
          `  "model": "${simulator}/words-60?reset=5" breaks off after 5 events; also status=429, hang, stall=3, error=2`
        ]
  return [
    ["Rehearse failures", ...inside, `  ${command} simulate is a provider of its own that fails on demand`].join("\n")
  ]
}
