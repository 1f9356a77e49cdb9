interface Call {
  readonly id: string
  answered: boolean
}

/** Calls in order, of which those that are not answered yet are looked for. What was found answered is not looked at again. */
class Line {
  private readonly calls: Array<Call> = []
  private at = 0

  add(call: Call): void {
    this.calls.push(call)
  }

  get first(): Call | undefined {
    while (this.calls[this.at]?.answered === true) this.at++
    return this.calls[this.at]
  }
}

const lineOf = (lines: Map<string, Line>, key: string): Line => {
  const known = lines.get(key)
  if (known !== undefined) return known
  const line = new Line()
  lines.set(key, line)
  return line
}

/**
 * The function calls of a conversation, in order. Calls and answers need no ids here: a call without one gets one that is
 * the same whenever the conversation is sent again, and an answer without one belongs to the first call of its name that
 * was not answered yet.
 */
export class CallLedger {
  private readonly byId = new Map<string, Line>()
  private readonly byName = new Map<string, Line>()
  private count = 0
  /** every number from that of the calls up to this one is part of an id */
  private number = 0

  /** Takes note of a call; returns its id. */
  call(stated: string | undefined, name: string): string {
    const id = stated || this.newId()
    const call = { id, answered: false }
    lineOf(this.byId, id).add(call)
    lineOf(this.byName, name).add(call)
    this.count++
    return id
  }

  /** The id of the call that is answered. */
  answer(stated: string | undefined, name: string): string {
    const call = this.byId.get(stated ?? "")?.first ?? this.byName.get(name)?.first
    if (call === undefined) return stated || this.newId()
    call.answered = true
    return call.id
  }

  private newId(): string {
    this.number = Math.max(this.number, this.count)
    while (this.byId.has(`call_${this.number}`)) this.number++
    return `call_${this.number}`
  }
}
