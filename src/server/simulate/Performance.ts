import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import type { Delivery } from "../../domain/LlmRequest.ts"
import { foldEvents } from "../../domain/LlmResponse.ts"
import type { RenderContext } from "../../protocols/Dialect.ts"
import { withSignedCalls } from "../../providers/simulator/CallSigning.ts"
import { failureOfStatus, type Fault } from "../../providers/simulator/Fault.ts"
import { stepsBefore } from "../../providers/simulator/Faults.ts"
import type { Options } from "../../providers/simulator/Options.ts"
import { simulatedOrigin, wholeWaitMs, type Script, type Step } from "../../providers/simulator/Script.ts"
import { framingOf, type Framing } from "./Framing.ts"
import type { Recording } from "./Recording.ts"
import type { SimulatedDialect, SimulatedRenderer } from "../../providers/simulator/SimulatedDialect.ts"

/** A part of a body, after a wait in milliseconds. */
export interface Chunk {
  readonly waitMs: number
  readonly data: string | Buffer
}

/**
 * What a connection does, to the byte. `headMs` is the wait before the head, `Infinity` where it never comes. A `reset`
 * without any chunk comes before the head.
 */
export interface Performance {
  readonly headMs: number
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly chunks: ReadonlyArray<Chunk>
  readonly ending: "end" | "stall" | "reset"
}

/** What a performance is for. */
export interface Stage {
  readonly dialect: SimulatedDialect
  readonly context: RenderContext
  readonly delivery: Delivery
  readonly options: Options
  readonly fault: Fault | undefined
}

const streamType = ({ contentType = "text/event-stream; charset=utf-8" }: SimulatedDialect): string => contentType

const streamHeaders = (dialect: SimulatedDialect) => ({
  "content-type": streamType(dialect),
  "cache-control": "no-cache"
})
const jsonHeaders = { "content-type": "application/json; charset=utf-8" }

/** A failure that comes before the head. */
export const performFailure = (error: LlmError, stage: Pick<Stage, "dialect" | "context">): Performance => {
  const { status, headers, body } = stage.dialect.renderError(error, stage.context.id)
  return {
    headMs: 0,
    // The status that was asked for, also where the dialect would say it otherwise.
    status: error.fault?.status ?? status,
    headers: { ...jsonHeaders, ...headers, ...retryHeaders(error) },
    chunks: [{ waitMs: 0, data: JSON.stringify(body) }],
    ending: "end"
  }
}

const retryHeaders = (error: LlmError): { readonly [name: string]: string } => {
  const wait = error.retryAfterMs
  if (wait === undefined) return {}
  const seconds = { "retry-after": String(Math.ceil(wait / 1000)) }
  return wait % 1000 === 0 ? seconds : { ...seconds, "retry-after-ms": String(wait) }
}

/** The faults that come before the head: they are the same for every kind of answer. */
const performEarly = (stage: Stage, headMs: number): Performance | undefined => {
  const { context, delivery, fault } = stage
  if (fault?._tag === "Hang") return { headMs: Infinity, status: 200, headers: {}, chunks: [], ending: "stall" }
  if (fault?._tag !== "Status" && (fault?._tag !== "Error" || delivery === "stream")) return undefined
  return { ...performFailure(failureOfStatus(fault.status, context.request.model, fault), stage), headMs }
}

/** A provider signs what it thought in its own name, unless a script says whose it is. */
const signed = ({ headMs, steps }: Script, origin: string): Script => ({
  headMs,
  steps: steps.map(({ events, waitMs }) => ({ waitMs, events: events.map((event) => signedEvent(event, origin)) }))
})

const signedEvent = (event: LlmEvent, origin: string): LlmEvent =>
  event._tag === "ReasoningStart" || event._tag === "ReasoningEnd"
    ? { ...event, origin: event.origin === undefined || event.origin === simulatedOrigin ? origin : event.origin }
    : event

/** A script of events, rendered by the dialect. */
export const performScript = (unsigned: Script, stage: Stage): Performance => {
  const { id } = stage.dialect
  const script = signed(stage.options.sign ? withSignedCalls(unsigned, id) : unsigned, id)
  const early = performEarly(stage, script.headMs)
  if (early !== undefined) return early
  if (stage.delivery === "whole") return performWhole(script, stage)
  const renderer = stage.dialect.renderer(stage.context)
  const { fault } = stage
  const at = faultIsIn(fault) ? stepsBefore(script, fault.after) : 0
  const body = strike(fault, {
    before: renderSteps(script.steps.slice(0, at), renderer),
    rest: () => renderRest(script.steps.slice(at), renderer),
    failure: (error) => renderer.failure(error),
    framing: framingOf(streamType(stage.dialect)),
    model: stage.context.request.model
  })
  return { headMs: script.headMs, status: 200, headers: streamHeaders(stage.dialect), ...body }
}

const renderSteps = (steps: ReadonlyArray<Step>, renderer: SimulatedRenderer): ReadonlyArray<Chunk> => {
  const chunks: Array<Chunk> = []
  let waitMs = 0
  for (const step of steps) {
    waitMs += step.waitMs
    const data = Buffer.concat(step.events.map((event) => Buffer.from(renderer.event(event))))
    if (data.length === 0) continue
    chunks.push({ waitMs, data })
    waitMs = 0
  }
  return chunks
}

/** The steps up to the end; a script that lacks its `Finish` ends without the dialect's terminator. */
const renderRest = (steps: ReadonlyArray<Step>, renderer: SimulatedRenderer): ReadonlyArray<Chunk> => {
  const chunks = renderSteps(steps, renderer)
  const finished = steps.at(-1)?.events.at(-1)?._tag === "Finish"
  return finished ? [...chunks, { waitMs: 0, data: renderer.end() }] : chunks
}

type LateFault = Extract<Fault, { readonly after: number }>

const faultIsIn = (fault: Fault | undefined): fault is LateFault => fault !== undefined && "after" in fault

interface Body {
  readonly before: ReadonlyArray<Chunk>
  readonly rest: () => ReadonlyArray<Chunk>
  readonly failure: (error: LlmError) => string | Buffer
  readonly framing: Framing
  readonly model: string
}

/** The chunks of a body that a fault hits after `before`. */
const strike = (fault: Fault | undefined, body: Body): Pick<Performance, "chunks" | "ending"> => {
  const { before } = body
  switch (fault?._tag) {
    case "Stall":
      return { chunks: before, ending: "stall" }
    case "Reset":
      return { chunks: before, ending: "reset" }
    case "Truncate":
      return { chunks: before, ending: "end" }
    case "Error": {
      const data = body.failure(failureOfStatus(fault.status, body.model, fault))
      return { chunks: [...before, { waitMs: 0, data }], ending: "end" }
    }
    case "Malformed": {
      const rest = body.rest()
      return { chunks: [...before, { waitMs: 0, data: malformed(rest, body.framing) }, ...rest], ending: "end" }
    }
    default:
      return { chunks: [...before, ...body.rest()], ending: "end" }
  }
}

/** A frame as it would have come next, without the end of its JSON. */
const malformed = (chunks: ReadonlyArray<Chunk>, { cut, damage, malformed }: Framing): Buffer => {
  for (const chunk of chunks) {
    const damaged = cut(Buffer.from(chunk.data))
      .map(damage)
      .findLast((frame) => frame !== undefined)
    if (damaged !== undefined) return damaged
  }
  return malformed
}

const performWhole = (script: Script, stage: Stage): Performance => {
  const events = script.steps.flatMap((step) => step.events)
  const body = Buffer.from(JSON.stringify(stage.dialect.renderWhole(foldEvents(events), stage.context, [])))
  const headMs = script.headMs + wholeWaitMs(script, stage.options)
  return { headMs, status: 200, headers: jsonHeaders, ...strikeWhole(stage.fault, body) }
}

/** A whole body that a fault hits: in its middle, or at its beginning where nothing is to come before. */
const strikeWhole = (fault: Fault | undefined, body: Buffer): Pick<Performance, "chunks" | "ending"> => {
  if (!faultIsIn(fault)) return { chunks: [{ waitMs: 0, data: body }], ending: "end" }
  if (fault._tag === "Malformed") return { chunks: [{ waitMs: 0, data: body.subarray(0, -1) }], ending: "end" }
  const part = body.subarray(0, fault.after === 0 ? 0 : Math.floor(body.length / 2))
  const ending = fault._tag === "Stall" ? "stall" : fault._tag === "Reset" ? "reset" : "end"
  return { chunks: part.length === 0 ? [] : [{ waitMs: 0, data: part }], ending }
}

/** Recorded bytes as they are; `pace` and `first` are waits between their frames, `after` counts frames. */
export const performRecording = (recording: Recording, stage: Stage): Performance => {
  const { fault, options } = stage
  const { headMs, firstMs = 0, paceMs = 0 } = options
  const early = performEarly({ ...stage, delivery: recording.delivery }, headMs)
  if (early !== undefined) return early
  const head = { headMs, status: recording.status, headers: { "content-type": recording.contentType } }
  if (recording.delivery === "whole") {
    return { ...head, headMs: headMs + firstMs, ...strikeWhole(fault, recording.bytes) }
  }
  const chunks = recording.framing
    .cut(recording.bytes)
    .map((data, index) => ({ waitMs: index === 0 ? firstMs : paceMs, data }))
  const at = faultIsIn(fault) ? Math.min(fault.after, chunks.length) : 0
  const body = strike(fault, {
    before: chunks.slice(0, at),
    rest: () => chunks.slice(at),
    failure: (error) => stage.dialect.renderer(stage.context).failure(error),
    framing: recording.framing,
    model: stage.context.request.model
  })
  return { ...head, ...body }
}
