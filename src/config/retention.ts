import { Duration, Schema } from "effect"
import type { Retention as Kept } from "../storage/Retention.ts"
import { ShortByteSize, ShortDuration } from "./units.ts"

const ageRule = { message: "Expected a duration such as 90d, more than 0; without it what is old stays" }
const sizeRule = { message: "Expected a size such as 20GiB, more than 0; without it everything stays" }

/** When what is old goes. Elsewhere 0 is no bound, and nobody means to keep nothing at all. */
export const Retention = Schema.Struct({
  maxAge: Schema.optionalKey(ShortDuration.check(Schema.makeFilter((age) => !Duration.isZero(age), ageRule))),
  maxSize: Schema.optionalKey(ShortByteSize.check(Schema.makeFilter((size) => Number(size) > 0, sizeRule)))
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
