import { Config, Effect, Option, Redacted, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import { describe } from "vitest"
import { temporaryFile } from "./temporary.ts"

/** A server on which the tests may make databases: `scripts/postgres` gives one. */
const postgresUrl = Effect.runSync(
  Effect.map(Effect.orDie(Config.option(Config.String("MILLRACE_TEST_POSTGRES_URL"))), Option.getOrUndefined)
)

export type Kind = "sqlite" | "postgres"

/** Describes PostgreSQL; without a server that is skipped. */
export const describePostgres = (what: string, body: () => void): void => {
  const missing = postgresUrl === undefined ? ": skipped, MILLRACE_TEST_POSTGRES_URL names no server" : ""
  describe.skipIf(postgresUrl === undefined)(`${what} (postgres${missing})`, body)
}

/** Describes the same of every database. */
export const describeDatabases = (what: string, body: (kind: Kind) => void): void => {
  describe(`${what} (sqlite)`, () => body("sqlite"))
  describePostgres(what, () => body("postgres"))
}

/** Runs statements that no transaction can hold. */
const administer = (sql: string) =>
  Effect.orDie(
    Effect.scoped(
      Effect.gen(function* () {
        const { PgClient } = yield* Effect.promise(() => import("@effect/sql-pg"))
        const { Reactivity } = yield* Effect.promise(() => import("effect/reactivity"))
        const client = yield* Effect.provide(
          PgClient.make({ url: Redacted.make(postgresUrl ?? ""), maxConnections: 1 }),
          Reactivity.layer
        )
        yield* client.unsafe(sql).raw
      })
    )
  )

/** The address of an empty database, which is gone with the scope. `made` says more of how one of PostgreSQL is made. */
export const freshDatabase = (kind: Kind, made = ""): Effect.Effect<string, never, Scope.Scope> => {
  if (kind === "sqlite") return temporaryFile
  // Asked for where tests are described, also those that are skipped for want of a server.
  return Effect.suspend(() => {
    const name = `millrace_${randomBytes(8).toString("hex")}`
    const address = new URL(postgresUrl ?? "")
    address.pathname = `/${name}`
    return Effect.acquireRelease(Effect.as(administer(`create database ${name} ${made}`), address.href), () =>
      administer(`drop database ${name} with (force)`)
    )
  })
}
