/** The processes of the benchmark: started in a scope, killed when it closes, measured through /proc. */
import { type ChildProcess, fork, spawn } from "node:child_process"
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Data, Effect, Schedule, type Scope } from "effect"
import { request } from "undici"

export interface Service {
  readonly name: string
  readonly origin: string
  readonly pid: number
}

export class DidNotStart extends Data.TaggedError("DidNotStart")<{ readonly name: string; readonly reason: string }> {}

/** A process of the benchmark ended while it was measured. */
export class Died extends Data.TaggedError("Died")<{ readonly name: string }> {
  override get message(): string {
    return `${this.name} ended while it was measured`
  }
}

const scriptPath = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/**
 * Acquires for the scope, and releases at the process's exit too where the scope did not come to it: an uncaught
 * exception, as on a closed pipe behind stdout, ends the process without closing scopes.
 */
export const heldUntilExit = <A>(acquire: () => A, release: (held: A) => void): Effect.Effect<A, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const held = acquire()
      const letGo = (): void => release(held)
      process.once("exit", letGo)
      return { held, letGo }
    }),
    ({ letGo }) =>
      Effect.sync(() => {
        process.off("exit", letGo)
        letGo()
      })
  ).pipe(Effect.map(({ held }) => held))

/** A folder of its own, which is gone with the scope. */
export const temporaryFolder = heldUntilExit(
  () => mkdtempSync(join(tmpdir(), "millrace-bench-")),
  (folder) => rmSync(folder, { recursive: true, force: true })
)

const started = (start: () => ChildProcess): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  heldUntilExit(start, (child) => child.kill("SIGKILL"))

const exitOf = (name: string, child: ChildProcess): Effect.Effect<never, DidNotStart> =>
  Effect.callback((resume) => {
    const exited = (): void => resume(Effect.fail(new DidNotStart({ name, reason: `exited with ${child.exitCode}` })))
    if (child.exitCode !== null) exited()
    else child.once("exit", exited)
    return Effect.sync(() => child.off("exit", exited))
  })

const announcedPort = (child: ChildProcess): Effect.Effect<number> =>
  Effect.callback((resume) => {
    child.once("message", (message: { readonly port: number }) => resume(Effect.succeed(message.port)))
  })

const startTime = "15 seconds"

const withinStartTime = <A>(name: string, ready: Effect.Effect<A, DidNotStart>): Effect.Effect<A, DidNotStart> =>
  Effect.timeoutOrElse(ready, {
    duration: startTime,
    orElse: () => Effect.fail(new DidNotStart({ name, reason: `not ready within ${startTime}` }))
  })

/** Starts one of the benchmark's own servers, which announces its port to its parent. */
export const startOwn = (
  name: string,
  script: string,
  args: ReadonlyArray<string>,
  nodeOptions: ReadonlyArray<string> = []
): Effect.Effect<Service, DidNotStart, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* started(() => fork(scriptPath(script), args, { execArgv: [...nodeOptions] }))
    const port = yield* withinStartTime(name, Effect.raceFirst(announcedPort(child), exitOf(name, child)))
    return { name, origin: `http://127.0.0.1:${port}`, pid: child.pid ?? 0 }
  })

const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = address !== null && typeof address === "object" ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

const answersReady = (name: string, origin: string): Effect.Effect<void, DidNotStart> =>
  Effect.tryPromise({
    try: () => request(`${origin}/readyz`).then(({ body, statusCode }) => body.dump().then(() => statusCode)),
    catch: (cause) => new DidNotStart({ name, reason: String(cause) })
  }).pipe(
    Effect.filterOrFail(
      (status) => status === 200,
      (status) => new DidNotStart({ name, reason: `/readyz answers ${status}` })
    ),
    Effect.retry(Schedule.spaced("100 millis")),
    Effect.asVoid
  )

/** The end of a log without the frames of stack traces. */
const lastLines = (log: string): string => {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n")
  return lines
    .filter((line) => line.trim() !== "" && !line.startsWith("    at "))
    .slice(-8)
    .join("\n    ")
}

/**
 * Starts `millrace serve` on a configuration file as a user would; file, log and SQLite database are in the folder. Its
 * environment holds nothing but the port, so that no key or option of the machine it runs on changes what is measured.
 */
export const startMillrace = (
  folder: string,
  config: object,
  nodeOptions: ReadonlyArray<string> = [],
  name = "millrace"
): Effect.Effect<Service, DidNotStart, Scope.Scope> =>
  Effect.gen(function* () {
    const port = yield* freePort
    const origin = `http://127.0.0.1:${port}`
    const log = join(folder, `${name}.log`)
    const file = join(folder, `${name}.json`)
    const storage = { url: `sqlite:${join(folder, `${name}.db`)}` }
    writeFileSync(file, JSON.stringify({ storage, ...config }, undefined, 2))
    const child = yield* started(() => {
      const output = openSync(log, "a")
      const args = [...nodeOptions, scriptPath("../src/main.ts"), "serve", "--config", file]
      const child = spawn(process.execPath, args, {
        cwd: folder,
        env: { PORT: String(port) },
        stdio: ["ignore", output, output]
      })
      closeSync(output)
      return child
    })
    const ready = Effect.raceFirst(answersReady(name, origin), exitOf(name, child))
    yield* withinStartTime(name, ready).pipe(
      Effect.mapError(({ reason }) => new DidNotStart({ name, reason: `${reason}\n    ${lastLines(log)}` }))
    )
    return { name, origin, pid: child.pid ?? 0 }
  })

/** Linux counts the processor time of a process in hundredths of a second (USER_HZ) on every usual machine. */
const microsPerTick = 10_000

const proc = (service: Service, file: string): Effect.Effect<string, Died> =>
  Effect.try({
    try: () => readFileSync(`/proc/${service.pid}/${file}`, "utf8"),
    catch: () => new Died({ name: service.name })
  })

/** User and system time of a process with all its threads since its start, in microseconds. */
export const cpuMicros = (service: Service): Effect.Effect<number, Died> =>
  Effect.map(proc(service, "stat"), (stat) => {
    // The second field is the command in parentheses and may hold blanks; utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return (Number(fields[11]) + Number(fields[12])) * microsPerTick
  })

/** Resident memory of a process, in bytes. */
export const residentBytes = (service: Service): Effect.Effect<number, Died> =>
  Effect.map(proc(service, "status"), (status) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024)
