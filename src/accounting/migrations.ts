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
  },
  {
    id: 2,
    name: "counters of limits",
    statements: [
      "create table accounting_owners (id text primary key, heartbeat_at bigint not null)",
      `create table accounting_counters (
        id text not null,
        start_at bigint not null,
        owner text not null,
        end_at bigint not null,
        used bigint not null,
        held bigint not null,
        primary key (id, start_at, owner)
      )`,
      "create index accounting_counters_owner on accounting_counters (owner)",
      "create index accounting_counters_end on accounting_counters (end_at)",
      "create table accounting_guard (ok integer not null check (ok = 1))",
      "create table accounting_lock (id integer primary key, holder text)",
      "insert into accounting_lock (id, holder) values (1, null)"
    ]
  },
  {
    id: 3,
    name: "sums of usage",
    statements: [
      `create table accounting_usage (
        day text not null,
        caller_key text not null,
        tenant text not null,
        model text not null,
        provider text not null,
        target text not null,
        labels text not null,
        owner text not null,
        calls bigint not null,
        incomplete bigint not null,
        input_tokens bigint not null,
        cached_tokens bigint not null,
        cache_write_tokens bigint not null,
        output_tokens bigint not null,
        reasoning_tokens bigint not null,
        estimated bigint not null,
        unpriced bigint not null,
        micro_usd bigint not null,
        primary key (day, caller_key, tenant, model, provider, target, labels, owner)
      )`
    ]
  }
]
