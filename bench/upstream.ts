/**
 * The benchmark's provider: a node:http server that speaks OpenAI chat and Anthropic messages from bytes made
 * beforehand, so that its own cost and jitter stay small beside the gateways'. Started by main.ts, with which it
 * shares its life.
 */
import { createServer, type ServerResponse } from "node:http"
import { setImmediate, setInterval } from "node:timers"
import { monotonicMicros } from "./clock.ts"
import { type Dialect, parseWorkload, pathOf, stampOf, stampPlaceholder, streamFrames, wholeBody } from "./workloads.ts"
import { announcePort, readBody } from "./service.ts"

interface PreparedWhole {
  readonly kind: "whole"
  readonly body: Buffer
}

interface PreparedStream {
  readonly kind: "stream"
  readonly paceMillis: number
  /** Each is one write to the socket. */
  readonly writes: ReadonlyArray<Buffer>
}

const prepare = (dialect: Dialect, model: string): PreparedWhole | PreparedStream | undefined => {
  const workload = parseWorkload(model)
  if (workload === undefined) return undefined
  if (workload.kind === "whole") return { kind: "whole", body: Buffer.from(wholeBody(dialect, workload)) }
  const { chunks, head, tail } = streamFrames(dialect, workload)
  const writes: Array<string> = []
  for (let start = 0; start < chunks.length; start += workload.perWrite) {
    writes.push(chunks.slice(start, start + workload.perWrite).join(""))
  }
  writes[0] = head + (writes[0] ?? "")
  writes[writes.length - 1] += tail
  return { kind: "stream", paceMillis: workload.paceMillis, writes: writes.map((text) => Buffer.from(text)) }
}

const prepared = new Map<string, PreparedWhole | PreparedStream | undefined>()

const preparedFor = (dialect: Dialect, model: string) => {
  const key = `${dialect} ${model}`
  if (!prepared.has(key)) prepared.set(key, prepare(dialect, model))
  return prepared.get(key)
}

const stamped = (write: Buffer): Buffer => {
  const at = write.indexOf(stampPlaceholder)
  const copy = Buffer.from(write)
  copy.write(stampOf(monotonicMicros()), at, "latin1")
  return copy
}

/** One write per turn of the event loop: writes of one turn would leave the process as one. */
const flow = (response: ServerResponse, writes: ReadonlyArray<Buffer>): void => {
  let next = 0
  const step = (): void => {
    const write = writes[next++]
    if (response.destroyed) return
    if (write === undefined) response.end()
    else if (response.write(write)) setImmediate(step)
    else response.once("drain", step)
  }
  step()
}

interface PacedStream {
  readonly response: ServerResponse
  readonly writes: ReadonlyArray<Buffer>
  next: number
}

const advance = (stream: PacedStream): boolean => {
  const write = stream.writes[stream.next++]
  if (write === undefined || stream.response.destroyed) return false
  stream.response.write(stamped(write))
  if (stream.next < stream.writes.length) return true
  stream.response.end()
  return false
}

/**
 * Paced streams are spread evenly over the milliseconds of their pace, whenever they came: a thousand users' streams
 * are not in step either, and bursts would measure the queue instead of the gateway.
 */
class Pacer {
  private readonly slots: ReadonlyArray<Set<PacedStream>>
  private assigned = 0
  private ticks = 0

  constructor(paceMillis: number) {
    this.slots = Array.from({ length: paceMillis }, () => new Set<PacedStream>())
    const startedAt = monotonicMicros()
    setInterval(() => {
      const due = Math.floor((monotonicMicros() - startedAt) / 1000)
      while (this.ticks < due) this.tick()
    }, 1)
  }

  add(response: ServerResponse, writes: ReadonlyArray<Buffer>): void {
    this.slots[this.assigned++ % this.slots.length]?.add({ response, writes, next: 0 })
  }

  private tick(): void {
    const slot = this.slots[this.ticks++ % this.slots.length]
    slot?.forEach((stream) => {
      if (!advance(stream)) slot.delete(stream)
    })
  }
}

const pacers = new Map<number, Pacer>()

const pacerFor = (paceMillis: number): Pacer => {
  const pacer = pacers.get(paceMillis) ?? new Pacer(paceMillis)
  pacers.set(paceMillis, pacer)
  return pacer
}

const answer = (dialect: Dialect, body: Buffer, response: ServerResponse): void => {
  const request: { readonly model: string } = JSON.parse(body.toString())
  const found = preparedFor(dialect, request.model)
  if (found === undefined) {
    response.writeHead(404, { "content-type": "application/json" }).end(`{"error":{"message":"no such workload"}}`)
  } else if (found.kind === "whole") {
    response.writeHead(200, { "content-type": "application/json", "content-length": found.body.length }).end(found.body)
  } else {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" })
    if (found.paceMillis === 0) flow(response, found.writes)
    else pacerFor(found.paceMillis).add(response, found.writes)
  }
}

const server = createServer({ keepAliveTimeout: 120_000, noDelay: true }, (request, response) => {
  readBody(request, (body) => answer(request.url === pathOf.messages ? "messages" : "chat", body, response))
})

announcePort(server)
