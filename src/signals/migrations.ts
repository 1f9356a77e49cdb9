import type { Migration } from "../storage/Migrations.ts"

/** The tables of the signals: a report for each call, the types it raised, and what is known of conversations. */
export const migrations: ReadonlyArray<Migration> = [
  {
    id: 1,
    name: "reports and conversations",
    statements: [
      `create table signal_reports (
        call_id text primary key,
        conversation text not null,
        conversation_key text not null,
        response_id text,
        opened_at bigint not null,
        model text not null,
        caller_key text,
        quality text not null,
        flagged integer not null,
        lot bigint not null,
        body text not null
      )`,
      "create index signal_reports_newest on signal_reports (opened_at, call_id)",
      "create index signal_reports_flagged on signal_reports (opened_at, call_id) where flagged = 1",
      "create index signal_reports_conversation on signal_reports (conversation, opened_at)",
      "create index signal_reports_response on signal_reports (response_id) where response_id is not null",
      `create table signal_types (
        call_id text not null,
        type text not null,
        count integer not null,
        primary key (call_id, type)
      )`,
      "create index signal_types_type on signal_types (type, call_id)",
      `create table signal_conversations (
        conversation_key text primary key,
        memory text not null,
        updated_at bigint not null
      )`
    ]
  },
  {
    id: 2,
    name: "conversations by marks that are numbers",
    // what was kept by others is not known again; such a conversation is read once more from its history
    statements: ["delete from signal_conversations"]
  },
  {
    id: 3,
    name: "conversations by when they were last gone on with",
    statements: ["create index signal_conversations_oldest on signal_conversations (updated_at)"]
  }
]
