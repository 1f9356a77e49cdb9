/**
 * The load generator: a closed loop of calls at a fixed concurrency, or calls at a fixed rate, each worker on a keep-alive
 * connection of its own, every answer checked.
 */
import { setImmediate, setTimeout } from "node:timers"
import { Effect } from "effect"
import { Client } from "undici"
import type { AnswerCheck } from "./answers.ts"
import { monotonicMicros } from "./clock.ts"

export interface LoadPlan {
  readonly origin: string
  readonly path: string
  readonly body: string
  readonly concurrency: number
  readonly calls: number
  /** How many calls a second begin at the most; as many as are answered, unless given. */
  readonly perSecond?: number | undefined
  readonly check: AnswerCheck
}

export interface LoadResult {
  readonly calls: number
  readonly seconds: number
  /** The time of each correct call from its start to the end of its answer, in microseconds. */
  readonly callMicros: ReadonlyArray<number>
  /** From the upstream's write to the read here, for chunks that carry a time stamp, in microseconds. */
  readonly chunkMicros: ReadonlyArray<number>
  readonly failed: number
  readonly firstFailure: string | undefined
}

const headers = {
  "content-type": "application/json",
  authorization: "Bearer x",
  "x-api-key": "x",
  "anthropic-version": "2023-06-01"
}

/** One call; `done` gets what was wrong with its answer, or nothing. */
const call = (client: Client, plan: LoadPlan, chunkMicros: Array<number>, done: (failure?: string) => void): void => {
  const reader = plan.check(chunkMicros)
  let status = 0
  let refusal = ""
  client.dispatch(
    { method: "POST", path: plan.path, headers, body: plan.body },
    {
      // An undici handler counts as one by having this method.
      onRequestStart() {},
      onResponseStart(_controller, code) {
        status = code
      },
      onResponseData(_controller, chunk) {
        if (status === 200) reader.read(chunk)
        else refusal += chunk.toString()
      },
      onResponseEnd() {
        done(status === 200 ? reader.end() : `${status} ${refusal.slice(0, 200)}`)
      },
      onResponseError(_controller, error) {
        done(error.message)
      }
    }
  )
}

/** Runs all calls of the plan. Interruption closes the connections. */
export const runLoad = (plan: LoadPlan): Effect.Effect<LoadResult> =>
  Effect.callback((resume) => {
    const callMicros: Array<number> = []
    const chunkMicros: Array<number> = []
    let begun = 0
    let ended = 0
    let failed = 0
    let firstFailure: string | undefined
    const startedAt = monotonicMicros()
    const clients = Array.from({ length: plan.concurrency }, () => new Client(plan.origin, { bodyTimeout: 0 }))
    const close = (): void => clients.forEach((client) => void client.destroy())

    const finish = (): void => {
      const seconds = (monotonicMicros() - startedAt) / 1e6
      close()
      resume(Effect.succeed({ calls: plan.calls, seconds, callMicros, chunkMicros, failed, firstFailure }))
    }
    const work = (client: Client): void => {
      if (begun >= plan.calls) return
      const dueMicros =
        plan.perSecond === undefined ? 0 : startedAt + (begun / plan.perSecond) * 1e6 - monotonicMicros()
      begun++
      if (dueMicros < 1000) ask(client)
      else setTimeout(ask, dueMicros / 1000, client)
    }
    const ask = (client: Client): void => {
      const callStartedAt = monotonicMicros()
      call(client, plan, chunkMicros, (failure) => {
        if (failure === undefined) callMicros.push(monotonicMicros() - callStartedAt)
        else {
          failed++
          firstFailure ??= failure
        }
        if (++ended === plan.calls) finish()
        else if (failure === undefined) work(client)
        // A client that could not connect takes no call before it has dealt with its error.
        else setImmediate(work, client)
      })
    }
    clients.forEach(work)
    return Effect.sync(close)
  })
