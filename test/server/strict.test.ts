import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import { DatabaseSync } from "node:sqlite"
import { temporaryFile } from "../storage/temporary.ts"
import { beginAt, type Exchange, finished, untilTrue } from "./client.ts"
import { ask, quiet, Running, running, type RunningOptions, until, userMessage } from "./running.ts"

/** A way to ask, and how an answer to it is known to be at its end, or to tell a failure. */
interface Way {
  readonly path: (model: string) => string
  readonly body: (model: string) => object
  /** what a good end alone has in it; a whole answer is good if its status is */
  readonly ending: string | undefined
  /** what the failure that is told says, in the words of the dialect */
  readonly failure: RegExp
}

const messages = [userMessage]
const contents = [{ role: "user", parts: [{ text: userMessage.content }] }]
const openAi = /"type":"server_error"/

const ways: { readonly [name: string]: Way } = {
  "a chat stream": {
    path: () => "/v1/chat/completions",
    body: (model) => ({ model, stream: true, messages }),
    ending: "[DONE]",
    failure: openAi
  },
  "a stream of Responses": {
    path: () => "/v1/responses",
    body: (model) => ({ model, stream: true, input: userMessage.content }),
    ending: "response.completed",
    failure: /"code":"server_error"|"type":"server_error"/
  },
  "a stream of Messages": {
    path: () => "/v1/messages",
    body: (model) => ({ model, stream: true, max_tokens: 1000, messages }),
    ending: "message_stop",
    failure: /"type":"overloaded_error"/
  },
  "a stream of Gemini": {
    path: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: () => ({ contents }),
    ending: '"finishReason"',
    failure: /"UNAVAILABLE"/
  },
  "an array of Gemini": {
    path: (model) => `/v1beta/models/${model}:streamGenerateContent`,
    body: () => ({ contents }),
    ending: '"finishReason"',
    failure: /"UNAVAILABLE"/
  },
  "a whole chat answer": {
    path: () => "/v1/chat/completions",
    body: (model) => ({ model, messages }),
    ending: undefined,
    failure: openAi
  },
  "a whole answer of Messages": {
    path: () => "/v1/messages",
    body: (model) => ({ model, max_tokens: 1000, messages }),
    ending: undefined,
    failure: /"type":"overloaded_error"/
  },
  "a whole answer of Responses": {
    path: () => "/v1/responses",
    body: (model) => ({ model, input: userMessage.content }),
    ending: undefined,
    failure: openAi
  },
  "a whole answer of Gemini": {
    path: (model) => `/v1beta/models/${model}:generateContent`,
    body: () => ({ contents }),
    ending: undefined,
    failure: /"UNAVAILABLE"/
  },
  vectors: {
    path: () => "/v1/embeddings",
    body: (model) => ({ model, input: "a text" }),
    ending: undefined,
    failure: openAi
  }
}

const askIn = ({ body, path }: Way, model: string) => beginAt(path(model), JSON.stringify(body(model)))

/** A server whose records are in a file, and a neighbour of it that can keep it from writing to that. */
const withFile = <A, E>(
  options: RunningOptions,
  body: (file: {
    readonly lock: Effect.Effect<void>
    readonly unlock: Effect.Effect<void>
    /** the outcomes in the file at this moment, by the ids of the calls */
    readonly outcomes: () => ReadonlyMap<string, unknown>
  }) => Effect.Effect<A, E, Running | Scope.Scope>
) =>
  Effect.gen(function* () {
    const file = yield* temporaryFile
    const context = yield* Layer.build(running({ ...options, storage: `sqlite:${file}` }))
    const neighbour = yield* Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync(file, { timeout: 10_000 })),
      (database) => Effect.sync(() => database.close())
    )
    return yield* Effect.provideContext(
      body({
        lock: Effect.sync(() => neighbour.exec("BEGIN IMMEDIATE")),
        unlock: Effect.sync(() => neighbour.exec("ROLLBACK")),
        outcomes: () =>
          new Map(
            neighbour
              .prepare("select id, outcome from audit_records where kind = 'Final'")
              .all()
              .map((row) => [String(row["id"]), row["outcome"]])
          )
      }),
      context
    )
  }).pipe(Effect.scoped)

/** Whatever the server would do without waiting for anything is done when it has answered these. */
const meanwhile = Effect.forEach(Array.from({ length: 5 }), () => ask("/healthz"), { discard: true })

const hasEnd = ({ ended, response, text }: Exchange, { ending }: Way): boolean =>
  ending === undefined ? response() !== undefined : ended() !== undefined || text().includes(ending)

/** All the ways at once, up to where their answers lack nothing but their end: from then on nothing can be recorded. */
const upToTheEnd = Effect.fnUntraced(function* (lock: Effect.Effect<void>) {
  const { audit, simulator } = yield* Running
  const begun = yield* Effect.forEach(Object.entries(ways), ([name, way]) =>
    Effect.map(askIn(way, "chat/echo;head=5s;pace=5ms"), (exchange) => ({ exchange, name, way }))
  )
  yield* untilTrue(() => simulator.log.stats().requests.open === begun.length)
  assert.strictEqual((yield* audit.stats).opened, begun.length)
  yield* lock
  yield* untilTrue(() => simulator.log.stats().requests.open === 0)
  for (const { exchange, way } of begun) {
    if (way.ending !== undefined) yield* untilTrue(() => exchange.text().includes("please"))
  }
  yield* meanwhile
  for (const { exchange, name, way } of begun) assert.isFalse(hasEnd(exchange, way), `${name}: ${exchange.text()}`)
  return begun
})

const callIdOf = ({ headers }: { readonly headers: { readonly [name: string]: unknown } }) =>
  String(headers["x-millrace-call-id"])

const timeout = 60_000

describe("where durability is strict, the end of an answer, in whatever dialect", () => {
  it.live(
    "comes when its record is on the disk, and not before",
    () =>
      withFile({}, ({ lock, outcomes, unlock }) =>
        Effect.gen(function* () {
          const begun = yield* upToTheEnd(lock)
          assert.strictEqual(outcomes().size, 0)
          yield* unlock
          for (const { exchange, name, way } of begun) {
            const { ending, headers, status, text } = yield* finished(exchange)
            assert.strictEqual(outcomes().get(callIdOf({ headers })), "Completed", name)
            assert.deepStrictEqual([status, ending], [200, "end"], name)
            if (way.ending !== undefined) assert.include(text, way.ending)
            const { audit } = yield* Running
            const record = yield* audit.get(callIdOf({ headers }))
            assert.deepInclude(record?.outcome, { kind: "Completed", delivered: true }, name)
            assert.strictEqual(record?.delivered?.bytes, Buffer.byteLength(text), name)
          }
        })
      ),
    timeout
  )

  it.live(
    "is a failure where that cannot be recorded, and so is a new call; later both are well, without a restart",
    () =>
      withFile({}, ({ lock, outcomes, unlock }) =>
        Effect.gen(function* () {
          const { log } = yield* Running
          const begun = yield* upToTheEnd(lock)
          const refused = yield* Effect.forEach(Object.values(ways), (way) => askIn(way, "chat/echo"))
          const failed: Array<string> = []
          for (const { exchange, name, way } of begun) {
            const { ending, headers, status, text } = yield* finished(exchange)
            failed.push(callIdOf({ headers }))
            assert.match(text, way.failure, name)
            assert.strictEqual(ending, "end", name)
            assert.strictEqual(status, way.ending === undefined ? 503 : 200, name)
            if (way.ending === undefined) assert.isAbove(Number(headers["retry-after"]), 0, name)
            else assert.notInclude(text, way.ending, name)
            if (name === "an array of Gemini") assert.isArray(JSON.parse(text))
          }
          for (const [index, way] of Object.values(ways).entries()) {
            const { headers, status, text } = yield* finished(refused[index]!)
            assert.strictEqual(status, 503)
            assert.match(text, way.failure)
            assert.isAbove(Number(headers["retry-after"]), 0)
            assert.isUndefined(headers["x-millrace-call-id"])
          }
          // What is being written while it is given up may be written yet.
          yield* untilTrue(() => log.some((line) => line.includes("The audit store does not work")))
          assert.strictEqual(outcomes().size, 0)
          yield* unlock
          yield* quiet
          yield* until(Effect.sync(outcomes), (found) => failed.every((id) => found.has(id)))
          for (const id of failed) assert.strictEqual(outcomes().get(id), "Failed")
          const { audit } = yield* Running
          assert.strictEqual((yield* audit.get(failed[0]!))?.outcome?.reason, "AuditUnavailable")
          const again = yield* finished(yield* askIn(ways["a chat stream"]!, "chat/echo"))
          assert.strictEqual(outcomes().get(callIdOf(again)), "Completed")
        })
      ),
    timeout
  )

  it.live(
    "comes all the same where the policy is to serve, and its record when it can be written",
    () =>
      withFile({ sections: { audit: { durability: "strict", onFailure: "open" } } }, ({ lock, outcomes, unlock }) =>
        Effect.gen(function* () {
          const { audit } = yield* Running
          const begun = yield* upToTheEnd(lock)
          const served: Array<string> = []
          for (const { exchange, name, way } of begun) {
            const { headers, status, text } = yield* finished(exchange)
            served.push(callIdOf({ headers }))
            assert.strictEqual(status, 200, name)
            if (way.ending !== undefined) assert.include(text, way.ending, name)
          }
          const later = yield* finished(yield* askIn(ways["a chat stream"]!, "chat/echo"))
          assert.include(later.text, "[DONE]")
          served.push(callIdOf(later))
          assert.strictEqual(outcomes().size, 0)
          const { endedUnrecorded, lost, servedUnrecorded } = yield* audit.stats
          assert.deepStrictEqual([endedUnrecorded, servedUnrecorded, lost], [begun.length + 1, 1, 0])
          const { text: metrics } = yield* ask("/metrics")
          assert.include(metrics, `\nmillrace_records_ended_unrecorded_total ${endedUnrecorded}\n`)
          assert.include(metrics, "\nmillrace_records_served_unrecorded_total 1\n")
          yield* unlock
          yield* until(Effect.sync(outcomes), (found) => found.size === served.length)
          for (const id of served) assert.strictEqual(outcomes().get(id), "Completed")
        })
      ),
    timeout
  )
})
