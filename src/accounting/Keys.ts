import { Clock, Context, Duration, Effect, Layer, Redacted, Schedule, type Scope, Semaphore, Struct } from "effect"
import { hash, randomBytes } from "node:crypto"
import { adminName } from "../domain/Call.ts"
import { StorageError } from "../storage/Database.ts"
import {
  alreadyThere,
  documented,
  expiredAlready,
  isInSeconds,
  type KeyRefused,
  noFilter,
  strangers,
  unknown
} from "./KeyRefused.ts"
import { type KeptKey, KeyStore } from "./KeyStore.ts"
import { Peppers } from "./Peppers.ts"
import { isUsable, type KeyChange, lastMoment, type NewKey, type VirtualKey } from "./VirtualKey.ts"

/** A key with its secret, which is shown this once and kept nowhere. */
export interface IssuedKey {
  readonly key: VirtualKey
  readonly secret: string
}

/** A key that stands in the configuration. */
export interface DocumentedKey extends NewKey {
  readonly secret: Redacted.Redacted
}

/** What the configuration says of keys. */
export interface KeySettings {
  /** those that stand in it */
  readonly documented?: ReadonlyArray<DocumentedKey>
  /** the names of the filters that keys may name */
  readonly filters?: ReadonlyArray<string>
  /** what secrets are hashed with, that of new ones first; without any the store's own */
  readonly peppers?: ReadonlyArray<Redacted.Redacted>
}

const checkEvery = "1 second"
/** Whoever shows a key that is not known has it looked for in the store, though not more often than this. */
const checkOnMissMillis = 100

/** How often a change is tried while other processes change keys. */
const maxTries = 30
const tooBusy = new StorageError({ operation: "batch", kind: "busy", message: "others change keys all the time" })

const hintOf = (secret: string): string => (secret.length < 16 ? "…" : `${secret.slice(0, 6)}…${secret.slice(-4)}`)

class KeyRing {
  readonly #store: KeyStore["Service"]
  readonly #clock: Clock.Clock
  readonly #documented: ReadonlyArray<KeptKey>
  readonly #filters: ReadonlyArray<string>
  readonly #peppers: Peppers
  readonly #onlyOne = Semaphore.makeUnsafe(1)
  readonly #oneChange = Semaphore.makeUnsafe(1)
  #byHash = new Map<string, VirtualKey>()
  #byName = new Map<string, KeptKey>()
  /** the hashes of secrets that were shown and found, by a fingerprint that costs less than they do */
  readonly #shown = new Map<string, string>()
  /** the hashes that were to be replaced by one with the pepper of now */
  readonly #moved = new Set<string>()
  #revision = -1
  #checkedAt = Number.NEGATIVE_INFINITY

  constructor(
    store: KeyStore["Service"],
    clock: Clock.Clock,
    { documented = [], filters = [], peppers = [] }: KeySettings
  ) {
    this.#store = store
    this.#clock = clock
    this.#filters = filters
    this.#peppers = new Peppers(peppers, store.pepper)
    this.#documented = documented.map(({ secret, ...key }) => ({
      key: { ...key, hint: hintOf(Redacted.value(secret)), source: "document", disabled: false },
      hash: this.#peppers.hash(Redacted.value(secret)),
      previousHash: undefined
    }))
  }

  get #now(): number {
    return this.#clock.currentTimeMillisUnsafe()
  }

  /** Reads the keys anew where somebody has changed them. */
  readonly refresh: Effect.Effect<void, StorageError> = Effect.suspend(() => {
    this.#checkedAt = this.#now
    return Effect.flatMap(this.#store.revision, (revision) => (revision === this.#revision ? Effect.void : this.#load))
  })

  get #load(): Effect.Effect<void, StorageError> {
    return Effect.map(this.#store.load, ({ keys, revision }) => {
      this.#revision = revision
      // What the configuration says stands before what the database has.
      const all = [...keys, ...this.#documented]
      this.#byName = new Map(all.map((kept) => [kept.key.name, kept]))
      this.#byHash = new Map()
      this.#shown.clear()
      for (const { hash, key, previousHash } of this.#byName.values()) {
        if (previousHash !== undefined) this.#byHash.set(previousHash, { ...key, expiresAt: endOfPrevious(key) })
        this.#byHash.set(hash, key)
      }
    })
  }

  readonly identify = (secret: string): Effect.Effect<VirtualKey | undefined> => {
    const print = hash("sha256", secret, "base64url")
    const known = this.#usable(print, secret)
    if (known !== undefined) return this.#keepAnew(known, this.#shown.get(print) ?? "", secret)
    if (this.#now - this.#checkedAt < checkOnMissMillis) return Effect.succeed(known)
    const looked = this.#now
    const lookAgain = Effect.suspend(() => (this.#checkedAt > looked ? Effect.void : this.refresh))
    return Effect.map(Effect.ignore(this.#onlyOne.withPermit(lookAgain)), () => this.#usable(print, secret))
  }

  #usable(print: string, secret: string): VirtualKey | undefined {
    const hash = this.#shown.get(print) ?? this.#hashOf(secret)
    const key = hash === undefined ? undefined : this.#byHash.get(hash)
    if (hash === undefined || key === undefined) return undefined
    this.#shown.set(print, hash)
    return isUsable(key, this.#now) ? key : undefined
  }

  /** The hash by which a secret is kept, if it is. */
  #hashOf(secret: string): string | undefined {
    for (const hash of this.#peppers.hashes(secret)) if (this.#byHash.has(hash)) return hash
    return undefined
  }

  /** A secret that was hashed with another pepper than that of now is kept with that, once it is known again. */
  #keepAnew(key: VirtualKey, from: string, secret: string): Effect.Effect<VirtualKey> {
    if (this.#peppers.isCurrent(from) || this.#moved.has(from)) return Effect.succeed(key)
    this.#moved.add(from)
    // The secret before the last rotation ends with its grace.
    if (this.#byName.get(key.name)?.hash !== from) return Effect.succeed(key)
    return this.#store.rehash(key.name, from, this.#peppers.hash(secret)).pipe(
      Effect.catch((error) => Effect.logWarning("A key cannot be kept with the pepper of now", error)),
      Effect.as(key)
    )
  }

  /** Whether a key has a secret that no pepper recognises which is configured. */
  readonly #isStrange = ({ hash, key }: KeptKey): boolean => isUsable(key, this.#now) && !this.#peppers.knows(hash)

  readonly recognise: Effect.Effect<void, KeyRefused> = Effect.suspend(() => {
    const kept = [...this.#byName.values()].filter(({ key }) => key.source === "database")
    const strange = kept.filter(this.#isStrange).map(({ key }) => key.name)
    if (strange.length === 0) return Effect.void
    const refusal = strangers(strange, this.#peppers.isConfigured)
    return kept.some(({ hash }) => this.#peppers.knows(hash)) ? Effect.logWarning(refusal.message) : refusal
  })

  readonly find = (name: string): VirtualKey | undefined => this.#byName.get(name)?.key

  readonly list = Effect.suspend(() =>
    Effect.map(this.refresh, () =>
      [...this.#byName.values()]
        .map((kept) => (this.#isStrange(kept) ? { ...kept.key, recognised: false as const } : kept.key))
        .toSorted((one, other) => one.name.localeCompare(other.name))
    )
  )

  #issue(): { readonly secret: string; readonly hash: string } {
    const secret = `mr-${randomBytes(32).toString("base64url")}`
    return { secret, hash: this.#peppers.hash(secret) }
  }

  readonly create = (wanted: NewKey): Effect.Effect<IssuedKey, KeyRefused | StorageError> =>
    Effect.gen({ self: this }, function* () {
      yield* this.refresh
      const exists = alreadyThere(wanted.name)
      if (this.#byName.has(wanted.name) || wanted.name === adminName) return yield* exists
      if (wanted.expiresAt !== undefined && wanted.expiresAt <= this.#now)
        return yield* expiredAlready(wanted.expiresAt)
      yield* this.#checkFilters(wanted)
      yield* this.recognise
      const { hash, secret } = this.#issue()
      const facts = { hint: hintOf(secret), source: "database", createdAt: this.#now, disabled: false } as const
      const key: VirtualKey = { ...wanted, ...facts }
      if (!(yield* this.#store.insert({ key, hash, previousHash: undefined }))) return yield* exists
      yield* this.refresh
      return { key, secret }
    })

  #changeable(name: string): Effect.Effect<KeptKey, KeyRefused | StorageError> {
    return Effect.flatMap(this.refresh, () => {
      const kept = this.#byName.get(name)
      if (kept === undefined) return unknown(name)
      return kept.key.source === "document" ? documented(name) : Effect.succeed(kept)
    })
  }

  /** Replaces a key by what becomes of it as it is now; anew where somebody else has changed one meanwhile. */
  #replace(name: string, next: (kept: KeptKey) => KeptKey): Effect.Effect<VirtualKey, KeyRefused | StorageError> {
    const tried = Effect.flatMap(this.#changeable(name), (kept) => {
      const replaced = next(kept)
      return Effect.map(this.#store.replace(replaced, this.#revision), (done) => (done ? replaced.key : undefined))
    })
    return tried.pipe(
      Effect.repeat({ until: (key) => key !== undefined, times: maxTries }),
      Effect.flatMap((key) => (key === undefined ? tooBusy : Effect.as(this.refresh, key))),
      this.#oneChange.withPermit
    )
  }

  readonly rotate = (name: string, grace: Duration.Duration): Effect.Effect<IssuedKey, KeyRefused | StorageError> =>
    Effect.suspend(() => {
      const { hash, secret } = this.#issue()
      const now = this.#now
      const rotated = this.#replace(name, ({ hash: before, key }) => {
        const facts: VirtualKey = { ...Struct.omit(key, ["previousUntil"]), hint: hintOf(secret), rotatedAt: now }
        if (Duration.isZero(grace)) return { key: facts, hash, previousHash: undefined }
        const previousUntil = Math.min(now + Duration.toMillis(grace), lastMoment)
        return { key: { ...facts, previousUntil }, hash, previousHash: before }
      })
      return Effect.map(rotated, (key) => ({ key, secret }))
    })

  readonly change = (name: string, change: KeyChange): Effect.Effect<VirtualKey, KeyRefused | StorageError> =>
    Effect.andThen(
      this.#checkChange(change),
      this.#replace(name, (kept) => ({ ...kept, key: changed(kept.key, change) }))
    )

  readonly remove = (name: string): Effect.Effect<void, KeyRefused | StorageError> =>
    this.#changeable(name).pipe(
      Effect.andThen(this.#store.remove(name)),
      Effect.andThen(() => this.refresh)
    )

  #checkChange(change: KeyChange): Effect.Effect<void, KeyRefused> {
    const { expiresAt } = change
    if (typeof expiresAt === "number" && isInSeconds(expiresAt)) return expiredAlready(expiresAt)
    return this.#checkFilters(change)
  }

  #checkFilters({ filters }: Pick<KeyChange, "filters">): Effect.Effect<void, KeyRefused> {
    const unknown = filters?.find((name) => !this.#filters.includes(name))
    return unknown === undefined ? Effect.void : noFilter(unknown, this.#filters)
  }

  /** Looks for changes by others from time to time; what is known stays while the store is away. */
  readonly watch: Effect.Effect<void, never, Scope.Scope> = Effect.asVoid(
    Effect.forkScoped(
      this.#onlyOneRefresh().pipe(
        Effect.catch((error) => Effect.logWarning("Changes of keys cannot be seen", error)),
        Effect.schedule(Schedule.spaced(checkEvery))
      )
    )
  )

  #onlyOneRefresh(): Effect.Effect<void, StorageError> {
    return this.#onlyOne.withPermit(Effect.suspend(() => this.refresh))
  }
}

/** The secret before works until its time is over, or the key's. */
const endOfPrevious = ({ expiresAt = Infinity, previousUntil = 0 }: VirtualKey): number =>
  Math.min(expiresAt, previousUntil)

const changed = (key: VirtualKey, change: KeyChange): VirtualKey => {
  const entries = Object.entries({ ...key, ...change }).filter(([, value]) => value !== null)
  // Every field of a change is one of a key, and null stood for its absence.
  return Object.fromEntries(entries) as unknown as VirtualKey
}

/**
 * The keys that callers may show: those of the configuration, and those that are made and changed while it runs, by this
 * process or by others that share its store.
 */
export class Keys extends Context.Service<
  Keys,
  {
    /** The key whose secret this is, where it works now. */
    readonly identify: (secret: string) => Effect.Effect<VirtualKey | undefined>
    /** A key by its name, whether it works or not, as it is known here. */
    readonly find: (name: string) => VirtualKey | undefined
    readonly list: Effect.Effect<ReadonlyArray<VirtualKey>, StorageError>
    /** Fails where the keys of the store were made with a pepper that is not configured, warns where some were. */
    readonly recognise: Effect.Effect<void, KeyRefused>
    readonly create: (key: NewKey) => Effect.Effect<IssuedKey, KeyRefused | StorageError>
    /** Gives the key another secret; the one before works for as long as `grace` says. */
    readonly rotate: (name: string, grace: Duration.Duration) => Effect.Effect<IssuedKey, KeyRefused | StorageError>
    readonly change: (name: string, change: KeyChange) => Effect.Effect<VirtualKey, KeyRefused | StorageError>
    /** Removes a key for good. What was recorded and counted under its name stays, and is its who has that name next. */
    readonly remove: (name: string) => Effect.Effect<void, KeyRefused | StorageError>
  }
>()("millrace/accounting/Keys") {
  /** Holds the keys of the configuration and of the store; sees within a second or so what others change there. */
  static readonly layer = (settings: KeySettings = {}): Layer.Layer<Keys, StorageError, KeyStore> =>
    Layer.effect(
      Keys,
      Effect.gen(function* () {
        const ring = new KeyRing(yield* KeyStore, yield* Clock.Clock, settings)
        yield* ring.refresh
        yield* ring.watch
        return Keys.of(ring)
      })
    )
}
