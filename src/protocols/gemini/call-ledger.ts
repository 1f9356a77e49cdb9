interface Call {
  readonly id: string
  readonly name: string
  answered: boolean
}

/**
 * The function calls of a conversation, in order. Calls and answers need no ids here: a call without one gets one that is
 * the same whenever the conversation is sent again, and an answer without one belongs to the first call of its name that
 * was not answered yet.
 */
export class CallLedger {
  private readonly calls: Array<Call> = []

  /** Takes note of a call; returns its id. */
  call(stated: string | undefined, name: string): string {
    const id = stated || this.newId()
    this.calls.push({ id, name, answered: false })
    return id
  }

  /** The id of the call that is answered. */
  answer(stated: string | undefined, name: string): string {
    const call =
      this.calls.find(({ id, answered }) => id === stated && !answered) ??
      this.calls.find((known) => known.name === name && !known.answered)
    if (call === undefined) return stated || this.newId()
    call.answered = true
    return call.id
  }

  private newId(): string {
    let index = this.calls.length
    while (this.calls.some(({ id }) => id === `call_${index}`)) index++
    return `call_${index}`
  }
}
