import { Context, Effect, Layer } from "effect"
import { randomBytes } from "node:crypto"
import type { StorageError } from "../storage/Database.ts"
import type { VirtualKey } from "./VirtualKey.ts"

/** A key as it is kept: never the key itself, but what it is recognised by. */
export interface KeptKey {
  readonly key: VirtualKey
  readonly hash: string
  /** of the secret before, while that still works (`key.previousUntil`) */
  readonly previousHash: string | undefined
}

/** The keys, and the number of changes up to them. */
export interface KeptKeys {
  readonly revision: number
  readonly keys: ReadonlyArray<KeptKey>
}

/** The port to the place that keeps keys. Every change raises the revision, by which others see that there was one. */
export class KeyStore extends Context.Service<
  KeyStore,
  {
    /** what hashes are made with where nothing is configured, the same for everybody who shares the place */
    readonly pepper: string
    readonly revision: Effect.Effect<number, StorageError>
    readonly load: Effect.Effect<KeptKeys, StorageError>
    /** false where there is one of that name or secret already */
    readonly insert: (key: KeptKey) => Effect.Effect<boolean, StorageError>
    /** Replaces the key of that name; false, and nothing is done, where any key was changed since a revision. */
    readonly replace: (key: KeptKey, since: number) => Effect.Effect<boolean, StorageError>
    readonly remove: (name: string) => Effect.Effect<void, StorageError>
    /** Keeps the same secret of that name by another hash, if it still is kept by this one. */
    readonly rehash: (name: string, from: string, to: string) => Effect.Effect<void, StorageError>
  }
>()("millrace/accounting/KeyStore") {
  /** Keeps keys for as long as the process lives. */
  static readonly layerMemory: Layer.Layer<KeyStore> = Layer.sync(KeyStore, () => {
    const kept = new Map<string, KeptKey>()
    let revision = 0
    const put = (key: KeptKey) => {
      kept.set(key.key.name, key)
      revision++
    }
    return KeyStore.of({
      pepper: randomBytes(32).toString("base64url"),
      revision: Effect.sync(() => revision),
      load: Effect.sync(() => ({ revision, keys: [...kept.values()] })),
      insert: (key) =>
        Effect.sync(() => {
          if (kept.has(key.key.name)) return false
          put(key)
          return true
        }),
      replace: (key, since) =>
        Effect.sync(() => {
          if (since !== revision) return false
          put(key)
          return true
        }),
      remove: (name) =>
        Effect.sync(() => {
          kept.delete(name)
          revision++
        }),
      rehash: (name, from, to) =>
        Effect.sync(() => {
          const key = kept.get(name)
          if (key?.hash === from) put({ ...key, hash: to })
        })
    })
  })
}
