import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware } from "effect/http-api"
import { KeyChange, NewKey, VirtualKey } from "../../accounting/VirtualKey.ts"
import { targetsGroup } from "./targets.ts"

/** What was asked for cannot be done. */
const message = { message: Schema.String }
export class KeyNotFound extends Schema.TaggedError<KeyNotFound>()("KeyNotFound", message, { httpApiStatus: 404 }) {}
export class KeyConflict extends Schema.TaggedError<KeyConflict>()("KeyConflict", message, { httpApiStatus: 409 }) {}
export class KeyUnusable extends Schema.TaggedError<KeyUnusable>()("KeyUnusable", message, { httpApiStatus: 422 }) {}
export class KeysUnavailable extends Schema.TaggedError<KeysUnavailable>()("KeysUnavailable", message, {
  httpApiStatus: 503
}) {}

export class Malformed extends Schema.TaggedError<Malformed>()("Malformed", message, { httpApiStatus: 400 }) {}

/** Says what is wrong with a request that cannot be read. */
export class SaysWhatIsWrong extends HttpApiMiddleware.Service<SaysWhatIsWrong>()("millrace/server/SaysWhatIsWrong", {
  error: Malformed
}) {}

/** A key with its secret: only whoever made it is ever shown that. */
export const IssuedKey = Schema.Struct({ ...VirtualKey.fields, secret: Schema.String })

/** How a key is given another secret: for how many seconds the one before works on. Without a body, not at all. */
const Rotation = Schema.Struct({ graceSeconds: Schema.optionalKey(Schema.Natural) })

const name = { name: Schema.String }
const failures = [KeyNotFound, KeyConflict, KeyUnusable, KeysUnavailable] as const

/** The API of the administrator. What it does not know it refuses: a limit that is misspelt would limit nothing. */
export class AdminApi extends HttpApi.make("millrace")
  .annotate(HttpApi.PayloadParseOptions, {
    onExcessProperty: "error",
    errors: "all"
  })
  .add(
    targetsGroup,
    HttpApiGroup.make("keys")
      .add(
        HttpApiEndpoint.get("list", "/admin/api/keys", {
          success: Schema.Struct({ data: Schema.Array(VirtualKey) }),
          error: KeysUnavailable
        }),
        HttpApiEndpoint.post("create", "/admin/api/keys", { payload: NewKey, success: IssuedKey, error: failures }),
        HttpApiEndpoint.get("get", "/admin/api/keys/:name", { params: name, success: VirtualKey, error: failures }),
        HttpApiEndpoint.patch("change", "/admin/api/keys/:name", {
          params: name,
          payload: KeyChange,
          success: VirtualKey,
          error: failures
        }),
        HttpApiEndpoint.delete("remove", "/admin/api/keys/:name", { params: name, error: failures }),
        HttpApiEndpoint.post("rotate", "/admin/api/keys/:name/rotate", {
          params: name,
          payload: [Rotation, Schema.Null],
          success: IssuedKey,
          error: failures
        })
      )
      .middleware(SaysWhatIsWrong)
  ) {}
