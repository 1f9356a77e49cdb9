import { Effect, FileSystem } from "effect"
import type { Configuration } from "../config/Configuration.ts"

/** Whether a file that is to be read is there. Opening it would make it, and then nothing would seem to have been recorded. */
export const isStored = Effect.fnUntraced(function* (
  storage: Configuration["storage"]
): Effect.fn.Return<boolean, never, FileSystem.FileSystem> {
  if (storage._tag !== "Sqlite") return true
  const files = yield* FileSystem.FileSystem
  return yield* Effect.orElseSucceed(files.exists(storage.filename), () => false)
})
