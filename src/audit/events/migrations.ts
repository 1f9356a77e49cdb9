import type { Migration } from "../../storage/Migrations.ts"

/** The table of what is told about calls from outside. Its rows are never changed. */
export const migrations: ReadonlyArray<Migration> = [
  {
    id: 1,
    name: "events from outside",
    statements: [
      (dialect) => `create table call_events (
        position ${dialect === "sqlite" ? "integer" : "bigint generated always as identity"} primary key,
        owner text not null,
        id text not null,
        hash text not null,
        call_id text,
        run_id text,
        at bigint,
        received_at bigint not null,
        body text not null
      )`,
      "create unique index call_events_id on call_events (owner, id)",
      "create index call_events_call on call_events (call_id) where call_id is not null",
      "create index call_events_run on call_events (run_id) where run_id is not null"
    ]
  }
]
