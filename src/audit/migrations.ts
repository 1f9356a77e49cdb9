import type { Migration } from "../storage/Migrations.ts"

/** The tables of the audit trail. Records are never changed: a call has one when it opens and one when it has ended. */
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
  },
  {
    id: 2,
    name: "one table of records, in chains",
    statements: [
      // What every call writes goes to the end of one table, which has as few indexes as reading can do with: the pages
      // that a transaction touches are what it costs.
      (dialect) => `create table audit_records (
        position ${dialect === "sqlite" ? "integer" : "bigint generated always as identity"} primary key,
        owner text not null,
        link bigint,
        hash text,
        kind text not null,
        id text not null,
        at bigint not null,
        request_id text,
        model text,
        caller_key text,
        conversation text,
        outcome text,
        body text not null,
        payload text
      )`,
      "create unique index audit_records_call on audit_records (id, kind)",
      // lists are filtered in the index, without a look at the records themselves
      `create index audit_records_newest on audit_records (at, id, request_id, model, caller_key, conversation)
        where kind = 'Opened'`,
      `create table audit_chains (
        owner text primary key,
        first_link bigint not null,
        first_hash text not null,
        last_link bigint not null,
        last_hash text not null
      )`,
      `insert into audit_records
          (owner, kind, id, at, request_id, model, caller_key, conversation, body, payload)
        select owner, 'Opened', id, opened_at, request_id, model, caller_key, conversation, body, request
        from audit_opened order by opened_at, id`,
      `insert into audit_records (owner, kind, id, at, outcome, body, payload)
        select coalesce(opened.owner, ''), 'Final', final.id, final.ended_at, final.outcome, final.body, final.response
        from audit_final final left join audit_opened opened on opened.id = final.id order by final.ended_at, final.id`,
      "drop table audit_opened",
      "drop table audit_final",
      // it counted calls of the owner, and means a position from now on
      "update audit_owners set settled_below = 0"
    ]
  },
  {
    id: 3,
    name: "lists by model, key, outcome and label",
    statements: [
      // What is read at the end of an index is written there as well: each costs a transaction a page or two.
      "create index audit_records_model on audit_records (model, at, id) where kind = 'Opened'",
      "create index audit_records_key on audit_records (caller_key, at, id) where caller_key is not null",
      "alter table audit_records add column opened_at bigint",
      `update audit_records set opened_at = (select opened.at from audit_records opened
        where opened.id = audit_records.id and opened.kind = 'Opened') where kind = 'Final'`,
      // most calls complete, and are found without it
      `create index audit_records_outcome on audit_records (outcome, opened_at, id)
        where outcome <> 'Completed'`,
      // labels repeat what the body of a record says
      `create table audit_labels (
        id text not null,
        label text not null,
        at bigint not null,
        primary key (id, label)
      )`,
      "create index audit_labels_newest on audit_labels (label, at, id)",
      (dialect) =>
        dialect === "sqlite"
          ? `insert into audit_labels (id, label, at)
              select opened.id, label.key || '=' || label.value, opened.at
              from audit_records opened, json_each(opened.body, '$.caller.labels') label
              where opened.kind = 'Opened'`
          : // a text that it cannot hold would be an error
            `insert into audit_labels (id, label, at)
              select opened.id, label.key || '=' || label.value, opened.at
              from audit_records opened, json_each_text(opened.body::json #> '{caller,labels}') label
              where opened.kind = 'Opened' and opened.body like '%"labels":{%' and opened.body not like '%\\u0000%'`
    ]
  }
]
