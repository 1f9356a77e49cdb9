import { Clock, Console, Duration, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Limits, measures, periods } from "../accounting/Limits.ts"
import { type KeyChange, KeyName, type NewKey, VirtualKey } from "../accounting/VirtualKey.ts"
import { parseDuration } from "../config/units.ts"
import { parseMoment } from "../domain/moment.ts"
import { clientWith, configured } from "./asking.ts"
import { CommandFailed } from "./CommandFailed.ts"
import { configFlag, jsonFlag, keyFlag, urlFlag } from "./flags.ts"
import { keyDetails, keyTable } from "./key-texts.ts"
import { databaseKeys, type KeyRing, serverKeys } from "./KeyRing.ts"

const place = { config: configFlag, url: urlFlag, key: keyFlag, json: jsonFlag }
type Place = {
  readonly config: Option.Option<string>
  readonly url: Option.Option<string>
  readonly key: Parameters<typeof clientWith>[0]
}

const withKeys = <A>({ config, key, url }: Place, use: (keys: KeyRing) => Effect.Effect<A, CommandFailed>) =>
  Effect.scoped(
    Effect.gen(function* () {
      if (Option.isSome(url)) {
        const keys = yield* Effect.provide(serverKeys(url.value), clientWith(key))
        return yield* use(keys)
      }
      return yield* use(yield* Effect.flatMap(configured(config, key), databaseKeys))
    })
  )

const printJson = (value: unknown) => Console.log(JSON.stringify(value, undefined, 2))
const encode = Schema.encodeSync(VirtualKey)

const shown = (json: boolean) => (key: VirtualKey) => (json ? printJson(encode(key)) : Console.log(keyDetails(key)))

const wrong = (flag: string, value: string, mend: string) =>
  new CommandFailed({ message: `${flag} ${JSON.stringify(value)} is not accepted; write ${mend}` })

const pairs = (flag: string, listed: ReadonlyArray<string>, mend: string) =>
  Effect.forEach(listed, (pair) => {
    const at = pair.indexOf("=")
    return at > 0 ? Effect.succeed([pair.slice(0, at), pair.slice(at + 1)] as const) : wrong(`--${flag}`, pair, mend)
  })

const limitMend = `<measure>/<window>=<amount> (${measures.slice(0, -1).join(", ")} per ${periods.join(", ")}), or concurrent=<calls>`
const decodeLimits = Schema.decodeUnknownEffect(Limits, { onExcessProperty: "error" })

const limitsOf = Effect.fnUntraced(function* (listed: ReadonlyArray<string>) {
  const limits = new Map<string, unknown>()
  for (const [name, amount] of yield* pairs("limit", listed, limitMend)) {
    const [measure = "", window] = name.split("/")
    const value = Number(amount)
    if (window === undefined) limits.set(measure, value)
    else limits.set(measure, { ...(limits.get(measure) as object | undefined), [window]: value })
  }
  const mend = () => wrong("--limit", listed.join(" "), limitMend)
  return yield* Effect.mapError(decodeLimits(Object.fromEntries(limits)), mend)
})

/** When something that is said as a time from now, or as a date, is: epoch milliseconds. */
const momentOf = Effect.fnUntraced(function* (flag: string, text: string) {
  const now = yield* Clock.currentTimeMillis
  const after = parseDuration(text)
  if (after !== undefined) return now + Duration.toMillis(after)
  const moment = parseMoment(text)
  if (moment !== undefined) return moment
  return yield* wrong(flag, text, "a time from now such as 12h or 30d, or a date such as 2027-01-31")
})

const nameArgument = Argument.String("name").pipe(
  Argument.withDescription("The name of the key, as records and reports have it")
)

const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)
const several = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.between(0, 100))

const notAsked =
  "The configuration asks nobody for a key, so that this one and its limits change nothing yet; add auth: { mode: keys }."

const created = ({ isAsked, where }: KeyRing, key: VirtualKey, secret: string) =>
  Console.log(
    `${keyDetails(key)}\n\n${secret}\n\nThis is the key. It is shown this once and kept nowhere in ${where}.` +
      (isAsked ? "" : `\n${notAsked}`)
  )

/** What a key has beside its name. */
const attributeFlags = {
  owner: text("owner", "Whom to ask about it"),
  tenant: text("tenant", "On whose behalf all of its calls are made"),
  label: several("label", "a=b, of all of its calls; may be repeated"),
  model: several("model", "A model that it may name, or a pattern such as anthropic/*; may be repeated. Else any"),
  filter: several("filter", "A configured filter that all of its calls pass; may be repeated"),
  limit: several("limit", `${limitMend}; may be repeated`),
  stopStreams: Flag.Boolean("stop-streams").pipe(
    Flag.withDescription("End a stream that uses up what is left of tokens or cost"),
    Flag.withDefault(false)
  )
}

/** What is said of a key; nothing of what is not said. */
const attributesOf = Effect.fnUntraced(function* ({
  filter,
  label,
  limit,
  model,
  owner,
  stopStreams,
  tenant
}: Command.Command.Config.Infer<typeof attributeFlags>) {
  const labels = Object.fromEntries(yield* pairs("label", label, "a=b"))
  if (stopStreams && limit.length === 0) {
    return yield* new CommandFailed({ message: "--stop-streams goes with limits; say all of them, each with --limit" })
  }
  const limits = { ...(yield* limitsOf(limit)), ...(stopStreams ? { stopStreams } : {}) }
  return {
    ...(Option.isSome(owner) ? { owner: owner.value } : {}),
    ...(Option.isSome(tenant) ? { tenant: tenant.value } : {}),
    ...(label.length === 0 ? {} : { labels }),
    ...(model.length === 0 ? {} : { models: model }),
    ...(filter.length === 0 ? {} : { filters: filter }),
    ...(limit.length === 0 ? {} : { limits })
  } satisfies KeyChange
})

const create = Command.make(
  "create",
  {
    ...place,
    name: nameArgument.pipe(Argument.withSchema(KeyName)),
    ...attributeFlags,
    expires: text("expires", "After how long (12h, 30d), or when (2027-01-31)")
  },
  Effect.fn(function* ({ json, name, expires, config, key, url, ...said }) {
    const at = { config, key, url }
    const wanted: NewKey = {
      name,
      ...(yield* attributesOf(said)),
      ...(Option.isSome(expires) ? { expiresAt: yield* momentOf("--expires", expires.value) } : {})
    }
    yield* withKeys(at, (keys) =>
      Effect.flatMap(keys.create(wanted), ({ key, secret }) =>
        json ? printJson({ ...encode(key), secret }) : created(keys, key, secret)
      )
    )
  })
).pipe(
  Command.withDescription("Make a key, and show it this once"),
  Command.withExamples([
    { command: "millrace keys create ci", description: "A key that may do anything" },
    {
      command: "millrace keys create acme --tenant acme --model 'anthropic/*' --limit cost/month=100 --expires 90d",
      description: "One for a tenant, its models, its budget"
    }
  ])
)

const list = Command.make(
  "list",
  place,
  Effect.fn(function* ({ json, ...at }) {
    yield* withKeys(at, (keys) =>
      Effect.flatMap(keys.list, (found) => {
        if (json) return printJson(found.map((key) => encode(key)))
        return Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Console.log(found.length === 0 ? `There are no keys in ${keys.where} yet.` : keyTable(found, now))
        )
      })
    )
  })
).pipe(Command.withDescription("All keys, without themselves"))

const rotate = Command.make(
  "rotate",
  {
    ...place,
    name: nameArgument,
    grace: text("grace", "For how long the key before still works: 10m, 24h. Else not at all")
  },
  Effect.fn(function* ({ grace, json, name, ...at }) {
    const given = Option.getOrElse(grace, () => "0")
    const duration = parseDuration(given)
    if (duration === undefined) return yield* wrong("--grace", given, "a duration such as 10m or 24h")
    yield* withKeys(at, (keys) =>
      Effect.flatMap(keys.rotate(name, duration), ({ key, secret }) =>
        json ? printJson({ ...encode(key), secret }) : created(keys, key, secret)
      )
    )
  })
).pipe(
  Command.withDescription("Give a key another secret"),
  Command.withExamples([{ command: "millrace keys rotate ci --grace 24h", description: "The old one works for a day" }])
)

const changing = (name: string, description: string, disabled: boolean) =>
  Command.make(
    name,
    { ...place, name: nameArgument },
    Effect.fn(function* ({ json, name, ...at }) {
      yield* withKeys(at, (keys) => Effect.flatMap(keys.change(name, { disabled }), shown(json)))
    })
  ).pipe(Command.withDescription(description))

const expire = Command.make(
  "expire",
  {
    ...place,
    name: nameArgument,
    at: Argument.String("when").pipe(Argument.withDescription("12h, 30d, 2027-01-31, or never"))
  },
  Effect.fn(function* ({ at: when, json, name, ...at }) {
    const expiresAt = when === "never" ? null : yield* momentOf("when", when)
    yield* withKeys(at, (keys) => Effect.flatMap(keys.change(name, { expiresAt }), shown(json)))
  })
).pipe(Command.withDescription("Say until when a key works"))

const clearable = ["owner", "tenant", "labels", "models", "filters", "limits"] as const

const change = Command.make(
  "change",
  {
    ...place,
    name: nameArgument,
    ...attributeFlags,
    clear: Flag.Literals("clear", clearable).pipe(
      Flag.withDescription("What to take away: owner, tenant, labels, models, filters or limits; may be repeated"),
      Flag.between(0, clearable.length)
    )
  },
  Effect.fn(function* ({ clear, config, json, key, name, url, ...said }) {
    const cleared = Object.fromEntries(clear.map((attribute) => [attribute, null]))
    const changes: KeyChange = { ...cleared, ...(yield* attributesOf(said)) }
    if (Object.keys(changes).length === 0) {
      return yield* new CommandFailed({ message: "Nothing is to be changed; say what, such as --limit cost/month=200" })
    }
    yield* withKeys({ config, key, url }, (keys) => Effect.flatMap(keys.change(name, changes), shown(json)))
  })
).pipe(
  Command.withDescription("Change what a key may do; what is said takes the place of what it has, all limits together"),
  Command.withExamples([
    { command: "millrace keys change acme --limit cost/month=200", description: "Another budget" },
    { command: "millrace keys change acme --clear models --owner bob", description: "Any model, and another owner" }
  ])
)

const remove = Command.make(
  "delete",
  { ...place, name: nameArgument },
  Effect.fn(function* ({ json, name, ...at }) {
    const done = `The key ${JSON.stringify(name)} is deleted. What was recorded and counted under its name stays.`
    yield* withKeys(at, (keys) =>
      Effect.andThen(keys.remove(name), json ? printJson({ deleted: name }) : Console.log(done))
    )
  })
).pipe(Command.withDescription("Delete a key for good"))

/** `millrace keys`: the keys that callers show. */
export const keysCommand = Command.make("keys").pipe(
  Command.withDescription("Make, change and list the keys that callers show"),
  Command.withSubcommands([
    create,
    list,
    change,
    rotate,
    changing("disable", "Let a key work no longer", true),
    changing("enable", "Let a disabled key work again", false),
    expire,
    remove
  ])
)
