import { Context, Effect, Layer, Redacted } from "effect"
import { hash } from "node:crypto"
import { adminName, type Call, type Caller } from "../domain/Call.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { Keys } from "./Keys.ts"
import { mayName, type VirtualKey } from "./VirtualKey.ts"

/** Who asks: anybody where nobody is asked for a key, whoever has the key of the administrator, or a key's holder. */
export type Principal =
  | { readonly _tag: "Anybody" }
  | { readonly _tag: "Admin" }
  | { readonly _tag: "Key"; readonly key: VirtualKey }

/** Who asks where nobody is asked for a key. */
export const anybody: Principal = { _tag: "Anybody" }
const admin: Principal = { _tag: "Admin" }

/** Who may come in: whether a key is asked for, and whose a secret is. Who provides nothing asks for none. */
export const Access = Context.Reference<{
  readonly required: boolean
  readonly identify: (secret: string) => Effect.Effect<Principal | undefined>
}>("millrace/accounting/Access", {
  defaultValue: () => ({ required: false, identify: () => Effect.succeed(anybody) })
})

// How long the comparison of fingerprints takes says nothing of what they are of: nobody can choose one.
const fingerprint = (secret: string): string => hash("sha256", secret, "base64url")

/** Asks everybody for one of the keys, or for that of the administrator. */
export const layerKeys = (adminKey: Redacted.Redacted | undefined): Layer.Layer<never, never, Keys> =>
  Layer.effect(
    Access,
    Effect.map(Keys, (keys) => {
      const adminPrint = adminKey === undefined ? undefined : fingerprint(Redacted.value(adminKey))
      return {
        required: true,
        identify: (secret) =>
          adminPrint !== undefined && fingerprint(secret) === adminPrint
            ? Effect.succeed(admin)
            : Effect.map(keys.identify(secret), (key) => (key === undefined ? undefined : { _tag: "Key", key }))
      }
    })
  )

/** The key by which somebody's calls are recorded, and which calls are theirs; undefined for whoever may see all. */
export const ownName = (principal: Principal): string | undefined =>
  principal._tag === "Key" ? principal.key.name : undefined

/** Whether somebody may name a model. */
export const mayUse = (principal: Principal, model: string): boolean =>
  principal._tag !== "Key" || mayName(principal.key, model)

/** The filters that somebody's calls pass because of who they are. */
export const filtersBy = (principal: Principal): Pick<Call, "filters"> =>
  principal._tag !== "Key" || principal.key.filters === undefined || principal.key.filters.length === 0
    ? {}
    : { filters: principal.key.filters }

/** Fails where a key may not name a model. */
export const checkModel = (principal: Principal, model: string): Effect.Effect<void, LlmError> => {
  if (principal._tag !== "Key" || mayName(principal.key, model)) return Effect.void
  const { models = [], name } = principal.key
  const may = models.length === 0 ? "none" : models.join(", ")
  return failure(
    { _tag: "PermissionDenied" },
    `The key ${JSON.stringify(name)} may not use the model ${JSON.stringify(model)}; it may use ${may}`
  )
}

/**
 * Who is recorded as the caller: what the request says of itself, and what is known of the key. A key that belongs to a
 * tenant speaks for no other; its labels stand before those of the request.
 */
export const callerBy = (principal: Principal, said: Caller): Effect.Effect<Caller, LlmError> => {
  if (principal._tag === "Anybody") return Effect.succeed(said)
  if (principal._tag === "Admin") return Effect.succeed({ ...said, key: adminName })
  const { labels, name, tenant = said.tenant } = principal.key
  if (said.tenant !== undefined && said.tenant !== tenant) {
    return failure(
      { _tag: "PermissionDenied" },
      `The key ${JSON.stringify(name)} belongs to the tenant ${JSON.stringify(tenant)}, not to ${JSON.stringify(said.tenant)}`
    )
  }
  return Effect.succeed({
    key: name,
    ...(tenant === undefined ? {} : { tenant }),
    ...(said.labels === undefined && labels === undefined ? {} : { labels: { ...said.labels, ...labels } })
  })
}
