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
  },
  {
    id: 4,
    name: "owners that are known by their process, sums of usage that all share",
    statements: [
      "alter table accounting_owners add column host text not null default ''",
      "alter table accounting_owners add column pid integer not null default 0",
      "alter table accounting_owners add column claimed integer not null default 0",
      `create table accounting_sums (
        day text not null,
        caller_key text not null,
        tenant text not null,
        model text not null,
        provider text not null,
        target text not null,
        labels text not null,
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
        primary key (day, caller_key, tenant, model, provider, target, labels)
      )`,
      `insert into accounting_sums
        select day, caller_key, tenant, model, provider, target, labels, sum(calls), sum(incomplete), sum(input_tokens),
          sum(cached_tokens), sum(cache_write_tokens), sum(output_tokens), sum(reasoning_tokens), sum(estimated),
          sum(unpriced), sum(micro_usd)
        from accounting_usage group by day, caller_key, tenant, model, provider, target, labels`,
      "drop table accounting_usage",
      "create table accounting_writers (id text primary key, sequence bigint not null, written_at bigint not null)"
    ]
  }
]
