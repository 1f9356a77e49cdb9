import { Schema } from "effect"
import type { Retention as Kept } from "../storage/Retention.ts"
import { ShortByteSize, ShortDuration } from "./units.ts"

/** When what is old goes. */
export const Retention = Schema.Struct({
  maxAge: Schema.optionalKey(ShortDuration),
  maxSize: Schema.optionalKey(ShortByteSize)
})

/** The same as the program is told; nothing where all stays. */
export const retentionOf = (retention: typeof Retention.Type | undefined): { readonly retention?: Kept } =>
  retention === undefined
    ? {}
    : {
        retention: {
          maxAge: retention.maxAge,
          maxSize: retention.maxSize === undefined ? undefined : Number(retention.maxSize)
        }
      }
