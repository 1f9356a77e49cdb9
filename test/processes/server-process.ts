import { NodeServices } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { Config, Effect, FileSystem, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { request as httpRequest, type IncomingMessage } from "node:http"
import { fileURLToPath } from "node:url"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { documentFor } from "../server/running.ts"
import { freshDatabase, type Kind } from "../storage/databases.ts"
import { ask as askOnce, type Ask } from "../server/simulate/server.ts"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

/**
 * A folder with a configuration in it, whose providers are at one address. Its records are in a file in it, unless
 * `storage` names another database.
 */
export const placeFor = Effect.fnUntraced(function* (simulator: string, server: object = {}, storage?: string) {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped()
  const document = documentFor(simulator, { storage: storage ?? `sqlite:${folder}/millrace.db` })
  yield* files.writeFileString(`${folder}/millrace.json`, JSON.stringify({ ...document, server }))
  return folder
})

/** A running server that is a process of its own. */
export interface ServerProcess {
  readonly url: string
  readonly pid: number
  /** everything that it wrote to its standard error so far */
  readonly log: () => string
  readonly signal: (signal: "SIGTERM" | "SIGINT" | "SIGKILL") => Effect.Effect<unknown>
  /** its exit code, once it has ended; absent where a signal ended it */
  readonly exitCode: Effect.Effect<number | undefined>
}

/** Starts `millrace serve` in a folder and waits until it says where it listens; it is killed with the scope. */
export const startServer = Effect.fnUntraced(function* (folder: string) {
  const options = yield* Config.String("NODE_OPTIONS").pipe(Config.withDefault(""))
  const child = yield* ChildProcess.make(
    process.execPath,
    [main, "serve", "--port", "0", "--config", `${folder}/millrace.json`],
    { cwd: folder, env: { NODE_OPTIONS: options }, extendEnv: false, killSignal: "SIGKILL" }
  )
  let log = ""
  let said = ""
  yield* child.stderr.pipe(
    Stream.decodeText,
    Stream.runForEach((text) => Effect.sync(() => void (log += text))),
    Effect.forkScoped
  )
  const url = (): string | undefined => /listens on (http:\S+)/.exec(said)?.[1]
  yield* child.stdout.pipe(
    Stream.decodeText,
    Stream.takeUntil((text) => ((said += text), url() !== undefined && said.includes("\n\n"))),
    Stream.runDrain
  )
  const found = url()
  assert.isDefined(found, said + log)
  return {
    url: found as string,
    pid: Number(child.pid),
    log: () => log,
    signal: (killSignal) => Effect.ignore(child.kill({ killSignal })),
    exitCode: Effect.match(child.exitCode, { onFailure: () => undefined, onSuccess: Number })
  } satisfies ServerProcess
})

/** Whether `millrace audit verify` finds all chains of records whole, and what it says. */
export const verifyRecords = Effect.fnUntraced(function* (folder: string) {
  const child = yield* ChildProcess.make(
    process.execPath,
    [main, "audit", "verify", "--config", `${folder}/millrace.json`],
    { cwd: folder, env: {}, extendEnv: false }
  )
  const said = yield* Effect.forEach(
    [child.stdout, child.stderr],
    (output) => Stream.mkString(Stream.decodeText(output)),
    { concurrency: "unbounded" }
  )
  return { whole: Number(yield* child.exitCode) === 0, said: said.join("") }
}, Effect.scoped)

export const ask = ({ url }: ServerProcess, path: string, options: Ask = {}) => askOnce(`${url}${path}`, options)

/** A call of which nothing is waited for: what came so far, until its connection ended or broke. */
export interface Caller {
  readonly callId: () => string | undefined
  readonly text: () => string
  readonly ended: () => "end" | "broken" | undefined
}

/** Begins a streamed call in the Messages API. `atEnd` is called once, when it has ended. */
export const call = (
  { url }: ServerProcess,
  model: string,
  atEnd: (ended: "end" | "broken") => void = () => {}
): Caller => {
  let response: IncomingMessage | undefined
  let text = ""
  let ended: ReturnType<Caller["ended"]>
  const request = httpRequest(`${url}/v1/messages`, {
    agent: false,
    method: "POST",
    headers: { "content-type": "application/json" }
  })
  const end = (how: "end" | "broken") => {
    if (ended !== undefined) return
    ended = how
    atEnd(how)
  }
  request.on("error", () => end("broken"))
  request.on("response", (incoming) => {
    response = incoming
    incoming.setEncoding("utf8").on("data", (data: string) => (text += data))
    incoming.on("end", () => end("end"))
    incoming.on("error", () => end("broken"))
  })
  const messages = [{ role: "user", content: "Say it back, please." }]
  request.end(JSON.stringify({ model, stream: true, max_tokens: 100_000, messages }))
  const callId = () => {
    const id = response?.headers["x-millrace-call-id"]
    return typeof id === "string" ? id : undefined
  }
  return { callId, text: () => text, ended: () => ended }
}

/** Every record that a server knows of, newest first. */
export const recordsAt = Effect.fnUntraced(function* (server: ServerProcess) {
  const all: Array<CallRecord> = []
  for (let cursor = ""; ;) {
    const seen = yield* ask(server, `/v1/calls?limit=100${cursor}`)
    assert.strictEqual(seen.status, 200, seen.text)
    // The server says what it has in this form.
    const page = JSON.parse(seen.text) as {
      readonly data: ReadonlyArray<CallRecord>
      readonly nextCursor?: string | null
    }
    all.push(...page.data)
    if (page.nextCursor === undefined || page.nextCursor === null) return all
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
  }
})

/** How calls ended, by their ids; of one that is open it is "open". */
export const outcomes = (records: ReadonlyArray<CallRecord>) =>
  new Map(records.map(({ id, outcome, status }) => [id, status === "open" ? "open" : outcome?.kind]))

/** The ids of the calls that are known to have one. */
export const idsOf = (callers: ReadonlyArray<Caller>): ReadonlyArray<string> =>
  callers.map(({ callId }) => callId()).filter((id) => id !== undefined)

/** A folder with a configuration whose records are in a database of the test's own. */
export const placeOn = (kind: Kind, simulator: string) =>
  kind === "sqlite"
    ? placeFor(simulator)
    : Effect.flatMap(freshDatabase(kind), (address) => placeFor(simulator, {}, address))

export const services = NodeServices.layer
