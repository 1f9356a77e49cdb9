import type { Notice } from "../../domain/Call.ts"

/** Collects notices, each once. */
export class Notices {
  readonly list: Array<Notice>

  constructor(list: Array<Notice> = []) {
    this.list = list
  }

  add(code: string, message: string): void {
    if (!this.list.some((notice) => notice.code === code && notice.message === message))
      this.list.push({ code, message })
  }

  /** Something that this format has no words for. */
  dropped(what: string, why = "the Messages API has no counterpart"): void {
    this.add("dropped", `${what}: ${why}`)
  }
}
