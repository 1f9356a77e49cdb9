import { ByteSize, DateTime, Duration, Effect, Redacted, Schema, SchemaGetter, SchemaIssue } from "effect"
import { KeyName } from "../accounting/VirtualKey.ts"
import { parseMoment } from "../domain/moment.ts"
import { Analyzers } from "./analyzers.ts"
import { formatNames } from "../providers/formats.ts"
import { presetNames } from "../providers/presets.ts"
import { languageNames } from "../signals/built-in.ts"
import { taxonomyNames } from "../signals/Taxonomy.ts"
import { FilterEntry } from "./filters.ts"
import { expectedPepper } from "./authentication.ts"
import { Defaults, Model } from "./ModelEntry.ts"
import { Audit } from "./audit.ts"
import { KeyLimits, LimitRule } from "./limits.ts"
import { Retention } from "./retention.ts"
import { Port, positiveByteSize, ShortDuration } from "./units.ts"
import { BaseUrl, oneOf, Secret, text, withDefault, YesOrNo } from "./values.ts"

const expectedOrigin = "an origin such as https://chat.example.com, without a slash at its end, or *"
const isOrigin = (value: string): boolean => value === "*" || /^[a-z][a-z\d+.-]*:\/\/[^/\s?#]+$/i.test(value)

const Server = Schema.Struct({
  host: text("a host name or an IP address").pipe(withDefault("127.0.0.1")),
  port: Port.pipe(withDefault(8787)),
  allowedOrigins: Schema.Array(
    text(expectedOrigin).check(Schema.makeFilter((value) => isOrigin(value), { message: `Expected ${expectedOrigin}` }))
  ).pipe(withDefault([])),
  shutdownGrace: ShortDuration.pipe(withDefault(Duration.seconds(20))),
  bodyLimit: positiveByteSize("32MiB").pipe(withDefault(ByteSize.mebibytes(32))),
  keepAlive: ShortDuration.pipe(withDefault(Duration.seconds(15)))
})

/** Where records are kept: a SQLite file, a PostgreSQL server, or the memory of the process. */
export const StorageLocation = Schema.Union([
  Schema.TaggedStruct("Sqlite", { filename: Schema.NonEmptyString }),
  // the URL may hold a password
  Schema.TaggedStruct("Postgres", { url: Schema.Redacted(Schema.String) }),
  Schema.TaggedStruct("Memory", {})
])
export type StorageLocation = typeof StorageLocation.Type

const expectedUrl =
  "sqlite:<path of a file> (such as sqlite:.millrace/millrace.db), postgres://<user>:<password>@<host>:<port>/<database> or memory:"

const parseStorageUrl = (url: string): StorageLocation | undefined => {
  if (url === "memory:" || url === "sqlite::memory:") return { _tag: "Memory" }
  if (/^postgres(?:ql)?:\/\/[^/]/.test(url)) {
    return URL.canParse(url) ? { _tag: "Postgres", url: Redacted.make(url) } : undefined
  }
  // sqlite:///absolute/path is how the scheme is written where a URL needs an authority.
  const filename = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1]
  return filename === undefined || filename.startsWith("//") ? undefined : { _tag: "Sqlite", filename }
}

/** The URL of a storage location, as the document has it, but for a password. */
export const formatStorageUrl = (location: StorageLocation): string => {
  switch (location._tag) {
    case "Memory":
      return "memory:"
    case "Sqlite":
      return `sqlite:${location.filename}`
    case "Postgres": {
      const { host, pathname, protocol, username } = new URL(Redacted.value(location.url))
      return `${protocol}//${username === "" ? "" : `${username}@`}${host}${pathname}`
    }
  }
}

const StorageUrl = text(expectedUrl).pipe(
  Schema.decodeTo(StorageLocation, {
    decode: SchemaGetter.transformEffect((url: string) => {
      const location = parseStorageUrl(url)
      return location === undefined
        ? Effect.fail(new SchemaIssue.InvalidValue({ expected: expectedUrl }))
        : Effect.succeed(location)
    }),
    encode: SchemaGetter.transform(formatStorageUrl)
  })
)

const Storage = Schema.Struct({
  url: StorageUrl.pipe(withDefault({ _tag: "Sqlite", filename: ".millrace/millrace.db" }))
})

const ProtocolName = oneOf([...formatNames, "simulator"])

const Protocols = Schema.Union([ProtocolName, Schema.NonEmptyArray(ProtocolName)]).annotate({
  message: `Expected one of ${[...formatNames, "simulator"].join(", ")}, or a list of such`
})

/** One key of several. One that refers to a variable without a value is empty, and left out. */
const ListedKey = Schema.Union([
  Schema.RedactedFromValue(Schema.String),
  Schema.Struct({ label: text("a name for the key"), key: Schema.RedactedFromValue(Schema.String) })
]).annotate({ message: "Expected a key, or its label and key" })

/** A provider: a vendor that is known by name, or an endpoint and the wire format it speaks. */
const Provider = Schema.Struct({
  preset: Schema.optionalKey(oneOf(presetNames)),
  protocol: Schema.optionalKey(Protocols),
  baseUrl: Schema.optionalKey(BaseUrl),
  apiKey: Schema.optionalKey(Secret),
  apiKeys: Schema.optionalKey(Schema.NonEmptyArray(ListedKey)),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Secret)),
  quirks: Schema.optionalKey(
    Schema.Array(
      oneOf([
        "noStreamOptions",
        "onlyStreams",
        "longStreams",
        "legacyMaxTokens",
        "noDeveloperRole",
        "noJsonSchema",
        "noJsonObject",
        "noAllowedTools",
        "noReasoningContent",
        "thinkingParts",
        "wantsReasoning",
        "thinkingSwitch",
        "effortSwitch",
        "noReasoningEffort",
        "noForcedCalls",
        "noNamedCalls",
        "onlyAutoCalls",
        "wantsContent",
        "noUserAfterTools",
        "alternatingTurns",
        "shortCallIds",
        "randomSeed",
        "noLogprobs",
        "noPenalties",
        "noStop",
        "fixedSampling",
        "noNames",
        "noUser",
        "takesSeals",
        "adaptiveThinking"
      ])
    )
  ),
  models: Schema.optionalKey(Schema.Array(text("the name of a model"))),
  region: Schema.optionalKey(text("a region, e.g. us-east-1")),
  apiVersion: Schema.optionalKey(text("a version, e.g. 2025-04-01-preview")),
  project: Schema.optionalKey(text("the id of a project")),
  credentials: Schema.optionalKey(text("the path of a file")),
  prefill: Schema.optionalKey(YesOrNo)
})

const Signals = Schema.Struct({
  enabled: YesOrNo.pipe(withDefault(true)),
  taxonomy: oneOf(taxonomyNames).pipe(withDefault("layered")),
  languages: Schema.Array(oneOf(languageNames)).pipe(withDefault(languageNames)),
  packs: Schema.Array(text("the path of a file")).pipe(withDefault([])),
  content: YesOrNo.pipe(withDefault(false)),
  flagSpans: YesOrNo.pipe(withDefault(false)),
  retention: Schema.optionalKey(Retention)
})

const Accounting = Schema.Struct({
  prices: Schema.optionalKey(text("the path of a file"))
})

const moment = "a date or a time such as 2027-01-31 or 2027-01-31T12:00:00Z"

/** A date or a time, as epoch milliseconds. */
const Moment = text(moment).pipe(
  Schema.decodeTo(Schema.Finite, {
    decode: SchemaGetter.transformEffect((input: string) => {
      const millis = parseMoment(input)
      return millis === undefined
        ? Effect.fail(new SchemaIssue.InvalidValue({ expected: moment }))
        : Effect.succeed(millis)
    }),
    encode: SchemaGetter.transform((millis: number) => DateTime.formatIso(DateTime.makeUnsafe(millis)))
  })
)

/** A key that callers may show. */
const Key = Schema.Struct({
  name: KeyName,
  key: Secret,
  owner: Schema.optionalKey(text("a text")),
  tenant: Schema.optionalKey(text("a text")),
  labels: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  models: Schema.optionalKey(Schema.Array(text("the name of a model, or a pattern such as team/*"))),
  filters: Schema.optionalKey(Schema.Array(text("the name of a filter"))),
  limits: Schema.optionalKey(KeyLimits),
  expiresAt: Schema.optionalKey(Moment)
})

// How long it has to be is checked elsewhere: what a Schema refuses of a union is shown.
const Pepper = Schema.RedactedFromValue(Schema.String)
const Peppers = Schema.Union([Pepper, Schema.NonEmptyArray(Pepper)]).annotate({
  message: `Expected ${expectedPepper}, or a list of such`
})

const Auth = Schema.Struct({
  mode: Schema.optionalKey(oneOf(["open", "keys"])),
  adminKey: Schema.optionalKey(Secret),
  pepper: Schema.optionalKey(Peppers),
  keys: Schema.optionalKey(Schema.Array(Key))
})

/** What every call passes, before what its key and its model name. */
const EveryCall = Schema.Struct({
  filters: Schema.Array(text("the name of a filter")).pipe(withDefault([]))
})

/** A section that may be absent: everything in it then has its own default. */
const section = <S extends Schema.Codec<unknown, unknown>>(schema: S) =>
  schema.pipe(withDefault<S>(Schema.decodeSync(schema)({})))

/**
 * The configuration document: what `millrace.yaml` may say. What is absent gets its default, what is unknown is an error.
 * `providers` has no default here: it is what the environment has keys for.
 */
export const Document = Schema.Struct({
  server: section(Server),
  storage: section(Storage),
  providers: Schema.optionalKey(Schema.Record(Schema.String, Provider)),
  models: Schema.Record(Schema.String, Model).pipe(withDefault({})),
  defaults: Schema.optionalKey(Defaults),
  filters: Schema.Record(Schema.String, FilterEntry).pipe(withDefault({})),
  everyCall: section(EveryCall),
  audit: section(Audit),
  accounting: section(Accounting),
  limits: Schema.Array(LimitRule).pipe(withDefault([])),
  signals: section(Signals),
  analyzers: Analyzers.pipe(withDefault({})),
  auth: section(Auth)
})
export type Document = typeof Document.Type
export type ProviderEntry = typeof Provider.Type
