import { Effect, type FileSystem, type Path as FilePath, Result } from "effect"
import { PriceBook, PriceList, shippedPrices } from "../accounting/PriceBook.ts"
import { decodeWith } from "./decode.ts"
import { readNamed } from "./named-file.ts"
import type { Finding } from "./problems.ts"
import { field } from "./substitute.ts"

const path = ["accounting", "prices"]
const decode = decodeWith(PriceList)

/** The prices to reckon with: those that are shipped, and before them those of the file that a document names. */
export const readPrices = (
  document: unknown
): Effect.Effect<Result.Result<PriceBook, Finding>, never, FileSystem.FileSystem | FilePath.Path> => {
  const file = field(document, "accounting", "prices")
  // What is no text is found with the rest of the document.
  if (typeof file !== "string" || file === "") return Effect.succeed(Result.succeed(new PriceBook(shippedPrices)))
  return Effect.map(
    Effect.result(readNamed(file, decode)),
    Result.mapBoth({
      onFailure: (message) => ({ path, message }),
      onSuccess: (own) => new PriceBook(own, shippedPrices)
    })
  )
}
