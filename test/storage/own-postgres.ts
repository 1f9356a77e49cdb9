import { Config, Effect, Schedule, type Scope } from "effect"
import { execFile } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"

const path = Effect.runSync(Effect.orDie(Config.String("PATH").pipe(Config.withDefault(""))))

/** The folder of PostgreSQL's programs; Debian keeps those of the server off the PATH. */
const findPrograms = (): string | undefined => {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : []
  const debian = versions
    .toSorted((one, other) => Number(one) - Number(other))
    .map((name) => `/usr/lib/postgresql/${name}/bin`)
  const candidates = [...debian.toReversed(), ...path.split(delimiter)]
  return candidates.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "pg_ctl")))
}

const programs = process.platform === "linux" ? findPrograms() : undefined

/** Why a server of one's own cannot be had; undefined where it can. */
export const noOwnServer = programs === undefined ? "skipped, there is no PostgreSQL to start" : undefined

const isRoot = process.getuid?.() === 0
const execute = promisify(execFile)

/** PostgreSQL refuses to run as root. */
const run = (program: string, ...args: ReadonlyArray<string>) =>
  Effect.promise(() =>
    isRoot
      ? execute("runuser", ["-u", "postgres", "--", program, ...args], { cwd: "/" })
      : execute(program, [...args], { cwd: "/" })
  )

const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

const childrenOf = (parent: number): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "latin1")
        return Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]) === parent
      } catch {
        // it ended meanwhile
        return false
      }
    })
    .map(Number)

/** A server that a test may do anything to. */
export interface OwnPostgres {
  /** the address of a database on it */
  readonly url: string
  /** Stops it where it stands, with all of its processes: whoever asks it gets no answer, and no error. */
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
  /** Kills all of its processes at once. */
  readonly kill: Effect.Effect<void>
  readonly start: Effect.Effect<unknown>
}

/** Starts a PostgreSQL server of the test's own, which is gone with the scope. */
export const ownPostgres: Effect.Effect<OwnPostgres, never, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "millrace-postgres-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )
  if (isRoot) yield* Effect.promise(() => execute("chown", ["postgres", folder]))
  const data = `${folder}/data`
  const port = yield* freePort
  const program = (name: string) => join(programs ?? "", name)
  yield* run(program("initdb"), "-D", data, "-U", "millrace", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
  const options = `-h 127.0.0.1 -p ${port} -k ${folder}`
  const start = run(program("pg_ctl"), "-D", data, "-w", "-t", "30", "-l", `${folder}/log`, "-o", options, "start")
  const all = () => {
    const main = Number(readFileSync(`${data}/postmaster.pid`, "utf8").split("\n")[0])
    return [main, ...childrenOf(main)]
  }
  const signal = (name: "SIGSTOP" | "SIGCONT" | "SIGKILL") =>
    Effect.sync(() => {
      for (const pid of all()) {
        try {
          process.kill(pid, name)
        } catch {
          // it ended meanwhile
        }
      }
    })
  const kill = Effect.suspend(() => {
    const pids = all()
    return signal("SIGKILL").pipe(
      Effect.andThen(
        Effect.repeat(
          Effect.sync(() => pids.some((pid) => existsSync(`/proc/${pid}`))),
          { until: (alive) => !alive, schedule: Schedule.spaced("5 millis") }
        )
      ),
      Effect.asVoid
    )
  })
  yield* Effect.acquireRelease(start, () => Effect.ignoreCause(Effect.andThen(signal("SIGCONT"), kill)))
  return {
    url: `postgres://millrace@127.0.0.1:${port}/postgres`,
    freeze: signal("SIGSTOP"),
    thaw: signal("SIGCONT"),
    kill,
    start
  }
})
