import type { Migration } from "../storage/Migrations.ts"

/** The tables of the audit trail. The rows of a call are never changed: one when it opens, one when it has ended. */
export const migrations: ReadonlyArray<Migration> = [
  {
    id: 1,
    name: "calls and their owners",
    statements: [
      `create table audit_opened (
        id text primary key,
        owner text not null,
        sequence bigint not null,
        opened_at bigint not null,
        request_id text,
        model text not null,
        caller_key text,
        conversation text,
        body text not null,
        request text
      )`,
      "create index audit_opened_newest on audit_opened (opened_at, id)",
      "create index audit_opened_owner on audit_opened (owner, sequence)",
      "create index audit_opened_request on audit_opened (request_id) where request_id is not null",
      `create table audit_final (
        id text primary key,
        outcome text not null,
        ended_at bigint not null,
        body text not null,
        response text
      )`,
      `create table audit_owners (
        id text primary key,
        host text not null,
        pid integer not null,
        heartbeat_at bigint not null,
        settled_below bigint not null
      )`
    ]
  }
]
