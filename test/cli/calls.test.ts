import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { ask } from "../server/simulate/server.ts"
import { describeDatabases, freshDatabase } from "../storage/databases.ts"
import { folderWith, millrace, serving } from "./running.ts"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

const documentIn = (storage: string) =>
  JSON.stringify({ storage: { url: storage }, providers: { simulator: { protocol: "simulator" } } })

const chat = (url: string, content: string, team: string, model = "simulator/echo") =>
  ask(`${url}/v1/chat/completions`, {
    body: { model, messages: [{ role: "user", content }] },
    headers: { "x-millrace-labels": `team=${team}` }
  })

interface Shown {
  readonly id: string
  readonly status: string
  readonly caller: { readonly labels: { readonly team: string } }
}

const lines = (text: string): ReadonlyArray<Shown> =>
  text
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

const teams = (shown: ReadonlyArray<Shown>) => shown.map(({ caller }) => caller.labels.team)

describeDatabases("millrace calls", (kind) => {
  it.live(
    "lists and exports what is asked for, of a database and of a server",
    () =>
      Effect.gen(function* () {
        const address = yield* freshDatabase(kind)
        const storage = kind === "sqlite" ? `sqlite:${address}` : address
        const place = { folder: yield* folderWith("millrace.json", documentIn(storage)) }
        const files = yield* FileSystem.FileSystem
        const { stop, url } = yield* serving(place)
        for (const team of ["search", "ads", "search"]) yield* chat(url, `a tea for ${team}`, team)
        yield* chat(url, "nothing", "none", "simulator/no-such-model")
        // of a server it is the same whatever is behind it
        for (const at of kind === "sqlite" ? [["--url", url], []] : [[]]) {
          if (at.length === 0) yield* stop
          const calls = (...args: ReadonlyArray<string>) => millrace(place, "calls", ...args, ...at)
          const listed = yield* calls("list", "--label", "team=search", "--outcome", "Completed", "--json")
          assert.deepStrictEqual(teams(JSON.parse(listed.stdout)), ["search", "search"])
          const none = yield* calls("list", "--text", "coffee")
          assert.include(none.stdout, "There are no such calls")
          const searched = yield* calls("export", "--text", "TEA for ads")
          assert.deepStrictEqual(teams(lines(searched.stdout)), ["ads"])
          const output = `${place.folder}/calls.csv`
          const written = yield* calls("export", "--format", "csv", "--output", output, "--model", "simulator/echo")
          assert.deepStrictEqual([written.code, written.stdout.includes(output)], [0, true])
          assert.lengthOf((yield* files.readFileString(output)).trimEnd().split("\r\n"), 4)
          const limited = yield* calls("export", "--limit", "2")
          assert.lengthOf(lines(limited.stdout), 2)
        }
        if (kind === "postgres") return
        for (const [args, message] of [
          [["--from", "yesterday"], "from has to be a time"],
          [["--label", "team"], "label has to be name=value"],
          [["--output", `${place.folder}/no/such/folder`], "cannot be written"]
        ] as const) {
          const wrong = yield* millrace(place, "calls", "export", ...args)
          assert.deepStrictEqual([wrong.code, wrong.stderr.includes(message)], [1, true], wrong.stderr)
        }
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    120_000
  )

  it.live.each(kind === "sqlite" ? ["database", "server"] : ["database"])(
    "follows calls as they begin and end, until it is stopped or nobody reads, of a %s",
    (where) =>
      Effect.gen(function* () {
        const address = yield* freshDatabase(kind)
        // of a server it is the same whatever is behind it, its memory too
        const storage = where === "server" ? "memory:" : kind === "sqlite" ? `sqlite:${address}` : address
        const place = { folder: yield* folderWith("millrace.json", documentIn(storage)) }
        const { url } = yield* serving(place)
        yield* chat(url, "before", "before")

        /** Runs a command line, and asks until it has ended or said enough. */
        const followed = Effect.fnUntraced(function* (script: string, isEnough: (text: string) => boolean) {
          const child = yield* ChildProcess.make("bash", ["-c", `exec 2>&1; ${script}`], {
            cwd: place.folder,
            env: { TAIL: `'${process.execPath}' '${main}' calls tail ${where === "server" ? `--url ${url}` : ""}` }
          })
          let said = ""
          const asking = yield* Effect.forkScoped(
            Effect.forever(Effect.andThen(chat(url, "more", "more"), Effect.sleep("50 millis")))
          )
          yield* child.stdout.pipe(
            Stream.decodeText,
            Stream.takeUntil((text) => isEnough((said += text))),
            Stream.runDrain
          )
          return { child, said: () => said, asking }
        })

        const { child, said } = yield* followed(
          "eval exec $TAIL --begun --json --label team=more",
          (text) => text.split("\n").length > 4
        )
        yield* child.kill({ killSignal: "SIGINT" })
        assert.strictEqual(Number(yield* child.exitCode), 0)
        const shown = lines(said().slice(0, said().lastIndexOf("\n")))
        assert.isTrue(teams(shown).every((team) => team === "more"))
        assert.deepStrictEqual(new Set(shown.map(({ status }) => status)), new Set(["open", "ended"]))
        const kinds = shown.map(({ id, status }) => `${id} ${status}`)
        assert.strictEqual(new Set(kinds).size, kinds.length)

        const piped = yield* followed('eval $TAIL | head -n 2; echo "ended ${PIPESTATUS[0]}"', (text) =>
          text.includes("ended")
        )
        assert.match(piped.said(), /^(.* Completed .*\n){2}ended 0\n$/)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    120_000
  )
})

describe("millrace calls export", () => {
  it.live(
    "writes a file anew, and leaves it alone where nobody answers",
    () =>
      Effect.gen(function* () {
        const place = { folder: yield* folderWith("calls.csv", "earlier calls") }
        const file = Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(`${place.folder}/calls.csv`))
        const exporting = (...more: ReadonlyArray<string>) =>
          millrace(place, "calls", "export", "--output", "calls.csv", ...more)
        const failed = yield* exporting("--url", "http://127.0.0.1:1")
        assert.strictEqual(failed.code, 1)
        assert.strictEqual(yield* file, "earlier calls")
        assert.strictEqual((yield* exporting("--format", "csv")).code, 0)
        assert.match(yield* file, /^id,.*\r\n$/)
        assert.strictEqual((yield* exporting()).code, 0)
        assert.strictEqual(yield* file, "")
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )

  it.live(
    "ends quietly when nobody reads any more, and says once why nothing can be written",
    () =>
      Effect.gen(function* () {
        const place = { folder: yield* folderWith("millrace.json", documentIn("sqlite:calls.db")) }
        const { url } = yield* serving(place)
        for (let n = 0; n < 12; n++) yield* chat(url, "a long story ".repeat(2000), "more")
        const shell = (script: string) =>
          Effect.flatMap(ChildProcess.make("bash", ["-c", script], { cwd: place.folder }), ({ stdout }) =>
            Stream.mkString(Stream.decodeText(stdout))
          )
        for (const command of ["export", "list --json"]) {
          const calls = `'${process.execPath}' '${main}' calls ${command}`
          const said = yield* shell(`${calls} 2>&1 | head -c 10; echo " ended \${PIPESTATUS[0]}"`)
          assert.match(said, /^[^]{10} ended 0\n$/)
          if (!existsSync("/dev/full")) continue
          const full = yield* shell(`${calls} 2>&1 > /dev/full; echo "ended $?"`)
          assert.match(full, /^The output cannot be written: ENOSPC.*\nended 1\n$/)
        }
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )
})
