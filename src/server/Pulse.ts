import { Context } from "effect"
import type { Watchdog, Watched } from "../routing/Watchdog.ts"
import type { ResponseWriter } from "./ResponseWriter.ts"
import type { ServerSettings } from "./Settings.ts"

/** What looks after the streams of a server, all of them in one fiber. */
export class PulseWatch extends Context.Service<PulseWatch, Watchdog>()("millrace/server/PulseWatch") {}

/** Keeps the connection of a stream alive while there is nothing to say, and gives up a caller that takes nothing. */
export class Pulse implements Watched {
  seat: Watched["seat"]
  private readonly writer: ResponseWriter
  private readonly text: string
  private readonly settings: ServerSettings

  constructor(writer: ResponseWriter, text: string, settings: ServerSettings) {
    this.writer = writer
    this.text = text
    this.settings = settings
  }

  look(now: number): number {
    const { keepAliveMs, stallLimitMs } = this.settings
    const { ended, stalledSince } = this.writer
    if (ended) return Infinity
    if (stalledSince !== undefined && now - stalledSince >= stallLimitMs) {
      this.writer.destroy()
      return Infinity
    }
    const isDue = now - this.writer.lastWriteAt >= keepAliveMs
    if (isDue) this.writer.keepAlive(this.text)
    // A caller that begins to stall now is looked at again after the limit; nothing else can fall due before. It may be that
    // nothing was written: where the end waits for its record, nothing else is to come.
    const nextKeepAlive = (isDue || stalledSince !== undefined ? now : this.writer.lastWriteAt) + keepAliveMs
    const nextStall = (stalledSince ?? now) + stallLimitMs
    return Math.min(nextKeepAlive, nextStall)
  }
}
