/** What is measured: each scenario is one kind of call, from a client's dialect to the upstream's. */
import type { Dialect } from "./workloads.ts"

export interface Scenario {
  readonly name: "S1" | "S2" | "S3" | "S4"
  readonly title: string
  readonly client: Dialect
  readonly upstream: Dialect
  /** The model's name at the upstream, which says what it answers. */
  readonly workload: string
  readonly concurrency: number
  /** Calls in one measured run. */
  readonly calls: number
}

const kinds = (quick: boolean) =>
  ({
    S1: {
      name: "S1",
      title: "whole answers of 1 KB",
      workload: "whole-1k",
      concurrency: 64,
      calls: quick ? 4000 : 20_000
    },
    S2: {
      name: "S2",
      title: "streams of 100 chunks, 16 a write",
      workload: "stream-100x16",
      concurrency: 64,
      calls: quick ? 1500 : 5000
    },
    S3: {
      name: "S3",
      title: "paced streams, 50 chunks at 20 ms",
      workload: "paced-50x20ms",
      concurrency: 300,
      calls: quick ? 300 : 900
    },
    S4: {
      name: "S4",
      title: "streams of 400 chunks, 16 a write",
      workload: "stream-400x16",
      concurrency: 64,
      calls: quick ? 500 : 1500
    }
  }) as const

/** Quick runs make fewer calls of the same kinds: a look rather than a result. */
export const scenarios = (quick: boolean): ReadonlyArray<Scenario> => {
  const { S1, S2, S3, S4 } = kinds(quick)
  const same = { client: "chat", upstream: "chat" } as const
  const toMessages = { client: "chat", upstream: "messages" } as const
  const toChat = { client: "messages", upstream: "chat" } as const
  return [
    { ...S1, ...same },
    { ...S2, ...same },
    { ...S3, ...same },
    { ...S1, ...toMessages },
    { ...S2, ...toMessages },
    { ...S4, ...toMessages },
    { ...S1, ...toChat },
    { ...S2, ...toChat },
    { ...S4, ...toChat }
  ]
}

/** The request that asks for a scenario's workload, as a small chat of a usual shape. */
export const requestBody = ({ client, workload }: Scenario, model: string): string => {
  const streams = !workload.startsWith("whole")
  const system = "You are a helpful assistant. Answer in plain words and keep to the question."
  const question = { role: "user", content: "How does a water mill turn the fall of a stream into work at the stone?" }
  const streaming = streams ? { stream: true } : {}
  return JSON.stringify(
    client === "messages"
      ? { model, max_tokens: 1024, system, messages: [question], ...streaming }
      : {
          model,
          messages: [{ role: "system", content: system }, question],
          ...(streams ? { stream: true, stream_options: { include_usage: true } } : {})
        }
  )
}
