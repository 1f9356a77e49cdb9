import { makeSseDecoder } from "../../../src/wire/Sse.ts"
import type { WireFrame } from "../../../src/wire/Frame.ts"

type Fields = { readonly [key: string]: unknown }
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null

/** The frames of a rendered stream. */
export const framesOf = (text: string): ReadonlyArray<WireFrame> => {
  const frames: Array<WireFrame> = []
  const decoder = makeSseDecoder()
  decoder.feed(Buffer.from(text), frames)
  decoder.end(frames)
  return frames
}

/** The chunks of a rendered stream, without its terminator. */
export const chunksOf = (text: string): ReadonlyArray<Fields> =>
  framesOf(text).flatMap(({ data }) => (data === "[DONE]" ? [] : [JSON.parse(data) as Fields]))

/**
 * Everything in a rendered stream that a client of this API would stumble over: what every chunk has to have, the role
 * first, calls with a dense index and id and name once, one finish reason for each answer and nothing after it, the
 * terminator last and only where nothing failed.
 */
export const streamFaults = (text: string): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const frames = framesOf(text)
  const begun = new Set<unknown>()
  const finished = new Set<unknown>()
  const calls = new Map<unknown, number>()
  const ids = new Set<unknown>()
  let failed = false
  let usageSent = false
  if (frames.map(({ raw }) => raw).join("") !== text) faults.push("the frames are not the text")
  frames.forEach(({ data, event }, at) => {
    const fault = (what: string) => faults.push(`${at}: ${what}`)
    // One server names its failures, and they go out as they came.
    if (event !== "" && event !== "error") fault(`has the event ${event}`)
    if (data === "[DONE]") {
      if (at !== frames.length - 1) fault("[DONE] is not last")
      if (failed) fault("[DONE] after a failure")
      return
    }
    const chunk: unknown = JSON.parse(data)
    if (!isFields(chunk)) return fault("is no object")
    if (isFields(chunk["error"])) {
      failed = true
      if (at !== frames.length - 1) fault("an error is not last")
      return
    }
    for (const key of ["id", "object", "created", "model", "choices"]) if (!(key in chunk)) fault(`has no ${key}`)
    if (chunk["object"] !== "chat.completion.chunk") fault("is no chunk")
    const choices = chunk["choices"]
    if (!Array.isArray(choices)) return fault("choices are no list")
    if (usageSent) fault("comes after the usage")
    if (choices.length === 0) {
      if (!isFields(chunk["usage"])) fault("says nothing")
      usageSent = true
    }
    for (const choice of choices as ReadonlyArray<Fields>) {
      const { index, delta, finish_reason: finish } = choice
      if (typeof index !== "number" || !isFields(delta)) {
        fault("a choice without index or delta")
        continue
      }
      if (finished.has(index)) fault(`choice ${index} goes on after its end`)
      if (begun.has(index) === "role" in delta) fault(`choice ${index} has its role at the wrong place`)
      begun.add(index)
      if (typeof finish === "string") finished.add(index)
      for (const call of (delta["tool_calls"] ?? []) as ReadonlyArray<Fields>) {
        const next = calls.get(index) ?? 0
        if ("id" in call) {
          if (call["index"] !== next) fault(`a call begins with the index ${String(call["index"])}, not ${next}`)
          if (ids.has(call["id"]) || call["id"] === "") fault("a call has the id of another, or none")
          if (typeof call["type"] !== "string") fault("a call has no type")
          ids.add(call["id"])
          calls.set(index, next + 1)
        } else if (typeof call["index"] !== "number" || call["index"] >= next) fault("a fragment belongs to no call")
        else if ("type" in call || "name" in ((call["function"] ?? {}) as Fields))
          fault("a fragment names its call again")
      }
    }
  })
  if (!failed) {
    if (frames.at(-1)?.data !== "[DONE]") faults.push("no [DONE] at the end")
    for (const index of begun) if (!finished.has(index)) faults.push(`choice ${String(index)} never ends`)
  }
  return faults
}
