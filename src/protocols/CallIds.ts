/** An id of nothing but letters, digits, `_` and `-`. */
export const plainCallId = (id: string): string => id.replaceAll(/[^a-zA-Z0-9_-]/g, "_")

/**
 * The ids of the tool calls of a conversation, in their order, for an API that wants them in a form of its own and each once:
 * there are servers that begin to count with every answer. Call and result are changed alike, so that they still meet.
 */
export class CallIds {
  private readonly form: (id: string) => string
  private readonly given = new Set<string>()
  private readonly open = new Map<string, Array<string>>()
  private readonly answered = new Map<string, string>()

  constructor(form: (id: string) => string) {
    this.form = form
  }

  /** The id of the next call. */
  call(id: string): string {
    let once = this.form(id)
    for (let n = 2; this.given.has(once); n++) once = this.form(`${id}_${n}`)
    this.given.add(once)
    const open = this.open.get(id)
    if (open === undefined) this.open.set(id, [once])
    else open.push(once)
    return once
  }

  /** The id of the call that a result answers: of several calls with one id the first that has no answer yet. */
  result(id: string): string {
    const next = this.open.get(id)?.shift()
    if (next !== undefined) this.answered.set(id, next)
    return next ?? this.answered.get(id) ?? this.form(id)
  }
}
