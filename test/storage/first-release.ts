import type { Statement } from "../../src/storage/Database.ts"

/** As the first release made its tables and wrote into them. It stays as it is, whatever becomes of the tables. */
const tables = [
  `create table millrace_migrations (
    subject text not null, id integer not null, name text not null, applied_at bigint not null, primary key (subject, id)
  )`,
  "insert into millrace_migrations values ('audit', 1, 'calls and their owners', 1795215600000)",
  `create table audit_opened (
    id text primary key, owner text not null, sequence bigint not null, opened_at bigint not null, request_id text,
    model text not null, caller_key text, conversation text, body text not null, request text
  )`,
  "create index audit_opened_newest on audit_opened (opened_at, id)",
  "create index audit_opened_owner on audit_opened (owner, sequence)",
  "create index audit_opened_request on audit_opened (request_id) where request_id is not null",
  `create table audit_final (
    id text primary key, outcome text not null, ended_at bigint not null, body text not null, response text
  )`,
  `create table audit_owners (
    id text primary key, host text not null, pid integer not null, heartbeat_at bigint not null,
    settled_below bigint not null
  )`,
  "insert into millrace_migrations values ('accounting', 1, 'keys', 1795215600000)",
  "create table accounting_keys (name text primary key, hash text not null unique, previous_hash text, body text not null)",
  "create table accounting_revisions (subject text primary key, revision bigint not null)",
  "insert into accounting_revisions (subject, revision) values ('keys', 1)",
  "create table accounting_secrets (name text primary key, value text not null)",
  "insert into accounting_secrets values ('keys', 'a pepper of long ago')",
  "insert into millrace_migrations values ('signals', 1, 'reports and conversations', 1795215600000)",
  `create table signal_reports (
    call_id text primary key, conversation text not null, conversation_key text not null, response_id text,
    opened_at bigint not null, model text not null, caller_key text, quality text not null, flagged integer not null,
    lot bigint not null, body text not null
  )`,
  "create index signal_reports_newest on signal_reports (opened_at, call_id)",
  "create index signal_reports_flagged on signal_reports (opened_at, call_id) where flagged = 1",
  "create index signal_reports_conversation on signal_reports (conversation, opened_at)",
  "create index signal_reports_response on signal_reports (response_id) where response_id is not null",
  `create table signal_types (
    call_id text not null, type text not null, count integer not null, primary key (call_id, type)
  )`,
  "create index signal_types_type on signal_types (type, call_id)",
  `create table signal_conversations (
    conversation_key text primary key, memory text not null, updated_at bigint not null
  )`
]

const openedAt = 1_795_215_600_000
const sha256 = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
const request = '{"model":"smart","messages":[{"role":"user","content":"Hello?"}]}'
const usage = { inputTokens: 3, outputTokens: 2, source: "provider" }
const answer = {
  id: "answer-1",
  model: "smart-1",
  choices: [{ index: 0, parts: [{ _tag: "Text", id: "0", text: "Good day." }], finish: { reason: "stop" } }],
  usage
}

const opened = (id: string, at: number): Statement => ({
  sql: "insert into audit_opened values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  params: [
    id,
    "an owner of long ago",
    at - openedAt,
    at,
    `request of ${id}`,
    "smart",
    "ci",
    null,
    JSON.stringify({
      id,
      requestId: `request of ${id}`,
      dialect: "openai-chat",
      model: "smart",
      delivery: "stream",
      caller: { key: "ci", tenant: "team", labels: { stage: "test" } },
      openedAt: at,
      request: { bytes: request.length, sha256 }
    }),
    request
  ]
})

const final = (id: string): Statement => ({
  sql: "insert into audit_final values (?, ?, ?, ?, ?)",
  params: [
    id,
    "Completed",
    openedAt + 40,
    JSON.stringify({
      id,
      outcome: { _tag: "Completed", finish: "stop", delivered: true },
      target: { provider: "somewhere", model: "smart-1" },
      usage,
      firstByteMs: 4,
      firstTokenMs: 6,
      totalMs: 40,
      upstream: { bytes: 300, frames: 7, events: 8 },
      delivered: { bytes: 280 },
      attempts: [],
      notices: [],
      response: { bytes: JSON.stringify(answer).length, sha256 }
    }),
    JSON.stringify(answer)
  ]
})

const key = { name: "ci", tenant: "team", hint: "mr-a…z9", source: "database", disabled: false, createdAt: openedAt }

/** A database of the first release: a call that ended, one that its process left open, and a key. */
export const firstRelease: ReadonlyArray<Statement> = [
  ...tables.map((sql) => ({ sql, params: [] })),
  opened("ended", openedAt),
  final("ended"),
  opened("open", openedAt + 1),
  {
    sql: "insert into audit_owners values (?, ?, ?, ?, ?)",
    params: ["an owner of long ago", "another machine", 4711, openedAt + 1000, 0]
  },
  {
    sql: "insert into accounting_keys (name, hash, previous_hash, body) values (?, ?, ?, ?)",
    params: ["ci", "a hash", null, JSON.stringify(key)]
  }
]
