import type { Notice } from "../domain/Call.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { LlmRequest, Message, Part, Tool, ToolChoice } from "../domain/LlmRequest.ts"
import { bounded } from "./bounded.ts"
import { DistinctNames } from "./distinct-names.ts"
import type { Protocol, StreamDecoder } from "./Protocol.ts"

/** Which names of functions a provider takes. */
export interface NameForm {
  /** how long they may be, in UTF-16 code units */
  readonly most: number
  /** a name that it takes */
  readonly taken: RegExp
  /** the characters that it does not take */
  readonly refused: RegExp
}

/** Names of letters, digits, `_` and `-`, which most providers take. */
export const plainNames = (most: number): NameForm => ({
  most,
  taken: new RegExp(`^[a-zA-Z0-9_-]{1,${most}}$`),
  refused: /[^a-zA-Z0-9_-]/g
})

/** Those that Google takes: they begin with a letter or `_`, and may have dots and colons. */
export const googleNames: NameForm = {
  most: 64,
  taken: /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/,
  refused: /[^a-zA-Z0-9_.:-]/g
}

/**
 * A request whose functions have names that the provider takes, and the protocol by which its answers have the caller's
 * again.
 */
export interface Renamed {
  readonly request: LlmRequest
  readonly protocol: Protocol
  readonly notices: ReadonlyArray<Notice>
}

/**
 * Gives the functions of a request names that the provider takes: other formats know longer ones, and other characters, and
 * clients name the tools of MCP servers by servers that have long names themselves. Undefined where all names can stay.
 */
export const renamed = (request: LlmRequest, protocol: Protocol): Renamed | undefined => {
  const form = protocol.toolNames
  if (form === undefined) return undefined
  const taken = takenNames(request, form)
  if (taken === undefined) return undefined
  const given = new Map([...taken].map(([name, other]) => [other, name]))
  return {
    request: withNames(request, taken),
    protocol: restoring(protocol, given),
    notices: [...taken].map(([name, other]) => ({
      code: "changed",
      message: `the tool ${name} is called ${other}: the provider takes no such name`
    }))
  }
}

/** The names that have to be other ones; none of these is that of another function. */
const takenNames = (request: LlmRequest, form: NameForm): ReadonlyMap<string, string> | undefined => {
  let taken: Map<string, string> | undefined
  let used: DistinctNames | undefined
  for (const name of namesIn(request)) {
    if (form.taken.test(name) || taken?.has(name) === true) continue
    used ??= new DistinctNames((other) => bounded(other, form.most), namesIn(request))
    const other = used.distinct(formed(name, form))
    taken ??= new Map()
    taken.set(name, other)
  }
  return taken
}

const formed = (name: string, { most, refused, taken }: NameForm): string => {
  const plain = bounded(name.replaceAll(refused, "_"), most)
  return taken.test(plain) ? plain : bounded(`_${plain}`, most)
}

function* namesIn({ messages, tools = [] }: LlmRequest): Iterable<string> {
  for (const tool of tools) if (tool._tag === "Function") yield tool.name
  for (const { parts } of messages) for (const part of parts) if (part._tag === "ToolCall") yield part.name
}

type Names = ReadonlyMap<string, string>

const withNames = (request: LlmRequest, taken: Names): LlmRequest => ({
  ...request,
  messages: request.messages.map((message): Message => ({
    ...message,
    parts: message.parts.map((part) => partWith(part, taken))
  })),
  ...(request.tools === undefined ? {} : { tools: request.tools.map((tool) => toolWith(tool, taken)) }),
  ...(request.toolChoice === undefined ? {} : { toolChoice: choiceWith(request.toolChoice, taken) })
})

const partWith = (part: Part, taken: Names): Part => {
  if (part._tag !== "ToolCall" && part._tag !== "ToolResult") return part
  const other = part.name === undefined ? undefined : taken.get(part.name)
  return other === undefined ? part : { ...part, name: other }
}

const toolWith = (tool: Tool, taken: Names): Tool => {
  const other = tool._tag === "Function" ? taken.get(tool.name) : undefined
  return other === undefined ? tool : { ...tool, name: other }
}

const choiceWith = (choice: ToolChoice, taken: Names): ToolChoice => {
  if (choice._tag === "Tool") return { ...choice, name: taken.get(choice.name) ?? choice.name }
  return choice._tag === "None" || choice.among === undefined
    ? choice
    : { ...choice, among: choice.among.map((name) => taken.get(name) ?? name) }
}

/** The protocol, by which calls have the names that the caller gave. Frames of another format are never sent as they are. */
const restoring = (protocol: Protocol, given: Names): Protocol => ({
  ...protocol,
  decoder: () => restored(protocol.decoder(), given),
  decodeWhole: (body, events) => {
    const error = protocol.decodeWhole(body, events)
    restore(events, 0, given)
    return error
  }
})

const restored = (decoder: StreamDecoder, given: Names): StreamDecoder => {
  const restoringFrom = <A>(events: Array<LlmEvent>, decode: () => A): A => {
    const from = events.length
    const result = decode()
    restore(events, from, given)
    return result
  }
  return {
    step: (frame, events) => restoringFrom(events, () => decoder.step(frame, events)),
    halt: (events) => restoringFrom(events, () => decoder.halt(events))
  }
}

const restore = (events: Array<LlmEvent>, from: number, given: Names): void => {
  for (let at = from; at < events.length; at++) {
    const event = events[at]
    if (event?._tag !== "ToolInputStart" && event?._tag !== "ToolCall") continue
    const name = event.providerExecuted === true ? undefined : given.get(event.name)
    if (name !== undefined) events[at] = { ...event, name }
  }
}
