import type { Migration } from "../storage/Migrations.ts"

/** The tables of keys, limits and usage. */
export const migrations: ReadonlyArray<Migration> = [
  {
    id: 1,
    name: "keys",
    statements: [
      `create table accounting_keys (
        name text primary key,
        hash text not null unique,
        previous_hash text,
        body text not null
      )`,
      "create table accounting_revisions (subject text primary key, revision bigint not null)",
      "insert into accounting_revisions (subject, revision) values ('keys', 0)",
      "create table accounting_secrets (name text primary key, value text not null)"
    ]
  }
]
