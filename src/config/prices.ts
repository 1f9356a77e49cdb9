import { Effect, FileSystem, Result, Schema } from "effect"
import { PriceList, shippedPrices, withPrices } from "../accounting/PriceBook.ts"
import type { Finding } from "./problems.ts"
import { field } from "./substitute.ts"

const path = ["accounting", "prices"]
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(PriceList), { onExcessProperty: "error" })

/** The prices to reckon with: those that are shipped, and before them those of the file that a document names. */
export const readPrices = (
  document: unknown
): Effect.Effect<Result.Result<PriceList, Finding>, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const file = field(document, "accounting", "prices")
    // What is no text is found with the rest of the document.
    if (typeof file !== "string" || file === "") return Result.succeed(shippedPrices)
    const files = yield* FileSystem.FileSystem
    const text = yield* Effect.result(files.readFileString(file))
    if (Result.isFailure(text)) {
      const why = text.failure.reason._tag === "NotFound" ? "is not there" : "cannot be read"
      return Result.fail({ path, message: `names a file that ${why}; mend the path` })
    }
    return Result.mapBoth(decode(text.success), {
      onFailure: (error) => ({ path, message: `names a file that is no list of prices: ${error.message}` }),
      onSuccess: (own) => withPrices(shippedPrices, own)
    })
  })
