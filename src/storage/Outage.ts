import { Effect } from "effect"
import type { StorageError } from "./Database.ts"

/** Tells the log of an outage when it begins and when it is over, however much fails meanwhile. */
export class Outage {
  readonly #says: { readonly begun: string; readonly over: string }
  #lasts = false

  constructor(says: { readonly begun: string; readonly over: string }) {
    this.#says = says
  }

  get lasts(): boolean {
    return this.#lasts
  }

  /** Something failed because of it. */
  failed(why: StorageError): Effect.Effect<void> {
    if (this.#lasts) return Effect.void
    this.#lasts = true
    return Effect.logWarning(this.#says.begun, why)
  }

  /** Something went well, so that it is over if there was one. */
  get ended(): Effect.Effect<void> {
    if (!this.#lasts) return Effect.void
    this.#lasts = false
    return Effect.logInfo(this.#says.over)
  }
}
