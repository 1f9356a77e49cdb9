import { Schema } from "effect"
import type { Retention as Kept } from "../storage/Retention.ts"
import { positiveByteSize, positiveDuration } from "./units.ts"

/** When what is old goes. Elsewhere 0 is no bound, and nobody means to keep nothing at all. */
export const Retention = Schema.Struct({
  maxAge: Schema.optionalKey(positiveDuration("90d")),
  maxSize: Schema.optionalKey(positiveByteSize("20GiB"))
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
