import { Effect, Redacted, Result, Schema, type Scope } from "effect"
import type { HttpClient } from "effect/http"
import { Role } from "../domain/LlmRequest.ts"
import type { Filter } from "../filters/Filter.ts"
import type { WindowSettings } from "../filters/judge.ts"
import { isCredential } from "../filters/headers.ts"
import { httpFilter } from "../filters/remote/http.ts"
import { mcpFilter } from "../filters/remote/mcp.ts"
import { askModel } from "../filters/stock/askModel.ts"
import { injection } from "../filters/stock/injection.ts"
import { watchJson } from "../filters/stock/watchJson.ts"
import { language } from "../filters/stock/language.ts"
import { languages } from "../filters/stock/languages.ts"
import { maxLength } from "../filters/stock/limits.ts"
import { packNames } from "../filters/stock/packs.ts"
import { asItStands } from "../filters/stock/patternFilter.ts"
import { metadata, systemPrompt } from "../filters/stock/prompts.ts"
import { redact } from "../filters/stock/redact.ts"
import { topics } from "../filters/stock/topics.ts"
import { block, replace, stopWords } from "../filters/stock/words.ts"
import { count, ShortDuration } from "./units.ts"
import { oneOf, text, YesOrNo } from "./values.ts"

const optional = Schema.optionalKey
const Texts = Schema.NonEmptyArray(text("a text"))
const Named = Schema.Record(Schema.String, Schema.String)

/** What every kind understands that looks at texts. */
const scope = ["on", "parts", "roles", "onFailure"] as const
const refusal = ["action", "status", "as", "message", "target"] as const
const list = ["words", "patterns", "longest", "withinWords", "caseSensitive"] as const
const windows = ["mode", "characters", "wait", "overlap"] as const

/** The settings that a kind has, and those of them that it cannot do without (one of each list). */
const settingsOf = {
  redact: { known: [...scope, "packs", "rules", "longest", "action"], needs: [] },
  block: { known: [...scope, ...refusal, ...list, "reason"], needs: [["words", "patterns"]] },
  stop: { known: ["words", "onFailure"], needs: [["words"]] },
  replace: { known: [...scope, "rules", "longest"], needs: [["rules"]] },
  topics: { known: [...refusal, ...list, "reason"], needs: [["words", "patterns"]] },
  length: { known: ["on", "parts", "roles", "characters", "action"], needs: [["characters"]] },
  schema: { known: ["schema", "tools", "action"], needs: [] },
  language: { known: ["on", "roles", ...refusal, "allow", "hold"], needs: [["allow"]] },
  injection: { known: [...refusal, "patterns", "roles", "onFailure"], needs: [] },
  system: { known: ["text", "place"], needs: [["text"]] },
  metadata: { known: ["set", "remove", "user", "headers"], needs: [["set", "remove", "user", "headers"]] },
  model: {
    known: ["on", ...windows, "model", "policy", "parallel", "target", "onFailure", "timeout"],
    needs: [["model"], ["policy"]]
  },
  http: { known: ["on", ...windows, "url", "headers", "forward", "onFailure", "timeout", "breaker"], needs: [["url"]] },
  mcp: {
    known: ["on", ...windows, "url", "tool", "headers", "forward", "onFailure", "timeout", "breaker"],
    needs: [["url"]]
  }
} as const satisfies {
  readonly [kind: string]: {
    readonly known: ReadonlyArray<string>
    readonly needs: ReadonlyArray<ReadonlyArray<string>>
  }
}

type Kind = keyof typeof settingsOf
// The keys of the object just above.
const filterKinds = Object.keys(settingsOf) as ReadonlyArray<Kind>

/** What a kind has for settings, and what it needs. */
export const filterSettings: {
  readonly [kind: string]: {
    readonly known: ReadonlyArray<string>
    readonly needs: ReadonlyArray<ReadonlyArray<string>>
  }
} = settingsOf

const isUrl = (value: string): boolean => /^https?:$/.test(URL.parse(value)?.protocol ?? "")

const Rule = Schema.Struct({
  name: optional(text("a name")),
  pattern: optional(text("a pattern")),
  text: optional(text("a text")),
  with: optional(Schema.String),
  ignoreCase: optional(YesOrNo)
})

/** A filter, by its kind. */
export const FilterEntry = Schema.Struct({
  kind: oneOf(filterKinds),
  on: optional(Schema.NonEmptyArray(oneOf(["request", "answer"]))),
  parts: optional(Schema.NonEmptyArray(oneOf(["text", "reasoning", "tools"]))),
  roles: optional(Schema.NonEmptyArray(oneOf(Role.literals))),
  onFailure: optional(oneOf(["open", "closed", "drop"])),
  timeout: optional(ShortDuration),
  action: optional(oneOf(["replace", "mask", "pseudonym", "refuse", "stop", "hide", "hand-off", "observe"])),
  packs: optional(Schema.Array(oneOf(packNames))),
  rules: optional(Schema.NonEmptyArray(Rule)),
  words: optional(Texts),
  patterns: optional(Texts),
  longest: optional(count(1, 65_536)),
  withinWords: optional(YesOrNo),
  caseSensitive: optional(YesOrNo),
  reason: optional(text("a text")),
  status: optional(Schema.Literals([400, 403]).annotate({ message: "Expected 400 or 403" })),
  as: optional(oneOf(["error", "answer"])),
  message: optional(text("a text")),
  target: optional(text("the name of a model")),
  characters: optional(count(1, 100_000_000)),
  schema: optional(Schema.Record(Schema.String, Schema.Json)),
  tools: optional(YesOrNo),
  allow: optional(Schema.NonEmptyArray(oneOf(languages))),
  hold: optional(YesOrNo),
  text: optional(text("a text")),
  place: optional(oneOf(["before", "after", "instead"])),
  set: optional(Named),
  remove: optional(Texts),
  user: optional(text("a text")),
  headers: optional(Named),
  model: optional(text("the name of a model")),
  policy: optional(text("a text")),
  parallel: optional(YesOrNo),
  mode: optional(oneOf(["event", "window", "final"])),
  wait: optional(ShortDuration),
  overlap: optional(count(0, 100_000)),
  url: optional(text("a URL").check(Schema.makeFilter(isUrl, { message: "Expected an http:// or https:// URL" }))),
  tool: optional(text("the name of a tool")),
  forward: optional(
    Schema.Array(
      text("the name of a header").check(
        Schema.makeFilter((name) => !isCredential(name), { message: "Expected a header that lets nobody in" })
      )
    )
  ),
  breaker: optional(Schema.Struct({ failures: count(1, 1_000_000), openFor: ShortDuration }))
})
export type FilterEntry = typeof FilterEntry.Type

/** A filter as it is made when the program starts. */
export type MakeFilter = Effect.Effect<Filter, never, HttpClient.HttpClient | Scope.Scope>

/** The settings that are given, without those that are not. */
const given = <A extends object>(settings: A): { [K in keyof A]: Exclude<A[K], undefined> } =>
  // What is undefined was not given, and is not there afterwards.
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as never

const scopeOf = ({ on, parts, roles, onFailure }: FilterEntry) => given({ sides: on, kinds: parts, roles, onFailure })
const refusalOf = ({ status, as, message, target }: FilterEntry) => given({ status, as, message, target })
const listOf = ({ words, patterns, longest, withinWords, caseSensitive }: FilterEntry) =>
  given({ words, patterns, longest, withinWords, caseSensitive })
const windowsOf = (entry: FilterEntry, mode: WindowSettings["mode"]): WindowSettings => ({
  ...given({ characters: entry.characters, wait: entry.wait, overlap: entry.overlap }),
  mode: entry.mode ?? mode
})

const remoteOf = (name: string, entry: FilterEntry, url: string) => ({
  ...given({ onFailure: entry.onFailure, timeout: entry.timeout, breaker: entry.breaker }),
  name,
  url,
  sides: entry.on ?? (["request", "answer"] as const),
  windows: windowsOf(entry, "window"),
  forward: entry.forward ?? [],
  headers: Object.fromEntries(
    Object.entries(entry.headers ?? {}).map(([header, value]) => [header, Redacted.make(value)])
  )
})

const actions = {
  redact: ["replace", "mask", "pseudonym"],
  block: ["refuse", "stop", "hide", "hand-off", "observe"],
  topics: ["refuse", "hand-off", "observe"],
  length: ["stop", "refuse"],
  schema: ["stop", "refuse"],
  language: ["refuse", "stop", "hand-off", "observe"],
  injection: ["refuse", "stop", "hide", "hand-off", "observe"]
} as const

/** The action of an entry, if it is one of those that its kind knows. */
const actionOf = <K extends keyof typeof actions>(
  kind: K,
  action: FilterEntry["action"]
): Result.Result<{ readonly action?: (typeof actions)[K][number] }, string> => {
  if (action === undefined) return Result.succeed({})
  const known: ReadonlyArray<string> = actions[kind]
  // It is one of the kind's own, as was just seen.
  return known.includes(action)
    ? Result.succeed({ action: action as never })
    : Result.fail(`knows no action ${action}; write one of ${known.join(", ")}`)
}

/** What a filter of a document is made of, or what is wrong with it. Everything that its kind needs is there. */
export const filterOf = (name: string, entry: FilterEntry): Result.Result<MakeFilter, string> => {
  const { kind } = entry
  const made = (filter: Result.Result<Filter, string>) => Result.map(filter, (one): MakeFilter => Effect.succeed(one))
  const acting = <K extends keyof typeof actions>(
    of: K,
    make: (action: { readonly action?: (typeof actions)[K][number] }) => Result.Result<Filter, string>
  ) => made(Result.flatMap(actionOf(of, entry.action), make))
  const missesTarget = entry.action === "hand-off" && entry.target === undefined
  if (missesTarget) return Result.fail("hands off to nobody; add target: (the name of a model)")
  switch (kind) {
    case "redact":
      return acting(kind, (action) =>
        redact({
          ...scopeOf(entry),
          ...action,
          ...given({ packs: entry.packs, patterns: ownPatterns(entry), longest: entry.longest }),
          name
        })
      )
    case "block":
      return acting(kind, (action) =>
        block({
          ...scopeOf(entry),
          ...refusalOf(entry),
          ...listOf(entry),
          ...action,
          ...given({ reason: entry.reason }),
          name
        })
      )
    case "stop":
      return made(stopWords({ ...given({ onFailure: entry.onFailure }), name, words: entry.words ?? [] }))
    case "replace":
      return made(
        replace({
          ...scopeOf(entry),
          ...given({ longest: entry.longest }),
          name,
          rules: (entry.rules ?? []).map(({ with: by = "", ...rule }) => ({ ...rule, with: by }))
        })
      )
    case "topics":
      return acting(kind, (action) =>
        topics({ ...refusalOf(entry), ...listOf(entry), ...action, ...given({ reason: entry.reason }), name })
      )
    case "length":
      return acting(kind, (action) =>
        Result.succeed(maxLength({ ...scopeOf(entry), ...action, name, characters: entry.characters ?? 1 }))
      )
    case "schema":
      return acting(kind, (action) =>
        Result.succeed(watchJson({ ...action, ...given({ schema: entry.schema, tools: entry.tools }), name }))
      )
    case "language":
      return acting(kind, (action) =>
        Result.succeed(
          language({
            ...scopeOf(entry),
            ...refusalOf(entry),
            ...action,
            ...given({ hold: entry.hold }),
            name,
            allow: entry.allow ?? []
          })
        )
      )
    case "injection":
      return acting(kind, (action) =>
        injection({
          ...refusalOf(entry),
          ...action,
          ...given({ patterns: entry.patterns, roles: entry.roles, onFailure: entry.onFailure }),
          name
        })
      )
    case "system":
      return Result.succeed(
        Effect.succeed(systemPrompt({ ...given({ place: entry.place }), name, text: entry.text ?? "" }))
      )
    case "metadata":
      return Result.succeed(
        Effect.succeed(
          metadata({
            ...given({ set: entry.set, remove: entry.remove, user: entry.user, headers: entry.headers }),
            name
          })
        )
      )
    case "model":
      return Result.succeed(
        Effect.succeed(
          askModel({
            ...given({
              parallel: entry.parallel,
              target: entry.target,
              onFailure: entry.onFailure,
              timeout: entry.timeout
            }),
            name,
            model: entry.model ?? "",
            policy: entry.policy ?? "",
            sides: entry.on ?? ["request"],
            windows: windowsOf(entry, "final")
          })
        )
      )
    case "http":
      return Result.succeed(httpFilter(remoteOf(name, entry, entry.url ?? "")))
    case "mcp":
      return Result.succeed(mcpFilter({ ...given({ tool: entry.tool }), ...remoteOf(name, entry, entry.url ?? "") }))
  }
}

const ownPatterns = ({ rules }: FilterEntry) =>
  rules?.map(({ name = "hidden", pattern, text: literal, with: by, ignoreCase }) => ({
    ...given({ with: by, ignoreCase }),
    name,
    pattern: pattern ?? asItStands(literal ?? "").source
  }))
