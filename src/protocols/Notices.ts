import type { Notice } from "../domain/Call.ts"
import type { FinishReason } from "../domain/LlmEvent.ts"

/** A request can have any number of fields that nobody knows: so many notices of it are kept, and one that says so. */
const most = 200
const more: Notice = { code: "more", message: `there is more to say than these ${most} notices` }

/** Collects notices, each once. `why` is the reason that is given where something has no words in a format. */
export class Notices {
  readonly list: Array<Notice>
  private readonly why: string

  constructor(why: string, list: Array<Notice> = []) {
    this.why = why
    this.list = list
  }

  add(code: string, message: string): void {
    if (this.list.length > most) return
    if (this.list.some((notice) => notice.code === code && notice.message === message)) return
    this.list.push(this.list.length === most ? more : { code, message })
  }

  /** An ending that the format says in a word which, read back, means another one. */
  ending(reason: FinishReason, word: string, readBack: FinishReason): void {
    if (readBack !== reason) this.add("changed", `the finish reason ${reason} is ${word}: ${this.why}`)
  }

  /** The stop sequence that ended an answer, where the format says no more than that one did. */
  stoppedAt(stopSequence: string | undefined): void {
    if (stopSequence !== undefined) this.dropped("the stop sequence that ended the answer")
  }

  /** Something that the format has no words for. */
  dropped(what: string, why = this.why): void {
    this.add("dropped", `${what}: ${why}`)
  }
}
