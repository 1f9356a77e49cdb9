/** How Millrace is configured where it is measured: as users have it, and with keys and limits as well. */
import type { Effect, Scope } from "effect"
import { type DidNotStart, type Service, startMillrace } from "./processes.ts"

/** What is far away, so that every limit is counted and none is reached. */
const plenty = 1_000_000_000

const keysAndLimits = {
  auth: {
    mode: "keys",
    adminKey: "admin",
    keys: [
      {
        name: "bench",
        // what the load generator shows
        key: "x",
        models: ["bench/*", "benchm/*"],
        limits: { requests: { minute: plenty }, tokens: { minute: plenty, day: plenty }, cost: { month: plenty } }
      }
    ]
  },
  limits: [
    { key: "*", concurrent: plenty },
    { model: "*", requests: { minute: plenty } }
  ]
}

export const variants = { millrace: {}, "millrace-keys": keysAndLimits } as const
export type Variant = keyof typeof variants

/** Starts one of them in front of the benchmark's upstream, with a database of its own in the folder. */
export const startVariant = (
  name: Variant,
  folder: string,
  upstream: Service,
  nodeOptions: ReadonlyArray<string> = []
): Effect.Effect<Service, DidNotStart, Scope.Scope> => {
  const config = {
    providers: {
      bench: { protocol: "openai-chat", baseUrl: `${upstream.origin}/v1`, apiKey: "x" },
      benchm: { protocol: "anthropic-messages", baseUrl: upstream.origin, apiKey: "x" }
    },
    audit: { durability: "standard", capture: "full" },
    ...variants[name]
  }
  return startMillrace(folder, config, nodeOptions, name)
}
