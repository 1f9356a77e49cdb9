// The HTTP server in a program of one's own: every SDK in, an upstream of yours behind it, records in SQLite. Run it with
//   npm run example -- examples/server.ts
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Schedule, Stream } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import {
  allSurfaces,
  AuditStoreSql,
  AuditTrail,
  defaultServerSettings,
  Engine,
  Router,
  Server,
  Settings,
  Sqlite,
  Upstream
} from "millrace"

/** Says back how many messages it was sent. */
const counter = Upstream.fromEvents(({ model, request }) =>
  Stream.make(
    { _tag: "Started", id: "counter-1", model },
    { _tag: "TextStart", id: "text" },
    { _tag: "TextDelta", id: "text", text: `You sent ${request.messages.length}.` },
    { _tag: "TextEnd", id: "text" },
    { _tag: "Finish", reason: "stop", usage: { outputTokens: 4, source: "provider" } }
  )
)

const records = AuditTrail.layer().pipe(
  Layer.provide(AuditStoreSql.layer),
  Layer.provide(Sqlite.layer({ filename: ".millrace/example.db" }))
)

const server = Server.layer(allSurfaces).pipe(
  Layer.provide(Engine.layer),
  Layer.provide(Layer.provide(Router.layerSingle, Upstream.layer(counter))),
  Layer.provideMerge(records),
  // port 0 takes any free one
  Layer.provide(Layer.succeed(Settings, { ...defaultServerSettings, port: 0 }))
)

/** What an SDK would do, in one request. */
const ask = Effect.fnUntraced(function* (url: string) {
  const request = HttpClientRequest.post(`${url}/v1/chat/completions`).pipe(
    HttpClientRequest.bodyJsonUnsafe({ model: "any", messages: [{ role: "user", content: "hello" }] })
  )
  return yield* (yield* HttpClient.execute(request)).text
})

const newest = Effect.flatMap(AuditTrail, (audit) => audit.list({ limit: 1 })).pipe(Effect.map(({ data }) => data[0]))

/** The end of a call is recorded soon after its answer, which does not wait for it. */
const recorded = Effect.repeat(newest, {
  until: (record) => record?.status === "ended",
  schedule: Schedule.spaced("10 millis")
})

const program = Effect.gen(function* () {
  const { url } = yield* Server
  yield* Console.log(yield* ask(url))
  yield* recorded
  const record = yield* newest
  yield* Console.log(`recorded: ${record?.outcome?.kind}`)
})

program.pipe(Effect.provide(Layer.merge(server, FetchHttpClient.layer)), NodeRuntime.runMain)
