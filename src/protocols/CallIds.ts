import { DistinctNames } from "./distinct-names.ts"

/** An id of nothing but letters, digits, `_` and `-`. */
export const plainCallId = (id: string): string => id.replaceAll(/[^a-zA-Z0-9_-]/g, "_")

/**
 * The ids of the tool calls of a conversation, in their order, for an API that wants them in a form of its own and each once:
 * there are servers that begin to count with every answer. Call and result are changed alike, so that they still meet.
 */
export class CallIds {
  private readonly form: (id: string) => string
  private readonly given: DistinctNames
  private readonly calls = new Map<string, Called>()

  constructor(form: (id: string) => string) {
    this.form = form
    this.given = new DistinctNames(form)
  }

  /** The id of the next call. */
  call(id: string): string {
    const once = this.given.distinct(this.form(id))
    const calls = this.calls.get(id)
    if (calls === undefined) this.calls.set(id, { ids: [once], answered: 0 })
    else calls.ids.push(once)
    return once
  }

  /** The id of the call that a result answers: of several calls with one id the first that has no answer yet. */
  result(id: string): string {
    const calls = this.calls.get(id)
    if (calls === undefined) return this.form(id)
    const next = calls.ids[calls.answered]
    if (next !== undefined) calls.answered++
    return next ?? calls.ids.at(-1) ?? this.form(id)
  }
}

/** The ids that the calls of one id were given, and how many of them have their answer. */
interface Called {
  readonly ids: Array<string>
  answered: number
}
