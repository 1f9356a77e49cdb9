import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { someSplits } from "../../filters/splits.ts"

/** What nobody may see. */
export const secret = "jane.doe@example.com"

/** What simulated models say: what they think, what they say, and the argument of the tool that they call. */
interface Said {
  readonly reasoning?: string
  readonly text: string
  readonly argument?: string
}

const answers = {
  all: {
    reasoning: `It is ${secret}, I think.`,
    text: `Write to ${secret} today.`,
    argument: `To ${secret}.`
  },
  text: { text: `Write to ${secret} today.` },
  first: { text: `${secret} it is.` },
  german: {
    text: `Die Antwort auf die Frage ist nicht in dem Buch, das Sie haben, und wir wissen es auch nicht: ${secret}`
  },
  other: { text: "I am another." },
  refusing: { text: '{"verdict":"refuse","reason":"it names somebody","text":null,"target":null}' },
  replacing: { text: '{"verdict":"replace","reason":null,"text":"Nobody.","target":null}' }
} satisfies { readonly [name: string]: Said }

export type AnswerName = keyof typeof answers

/** How often each answer is scripted, cut otherwise each time. */
export const cuts = 3

const eventsOf = ({ reasoning = "", text, argument }: Said, cut: number): ReadonlyArray<LlmEvent> => {
  const pieces = (text: string) => someSplits(text, cuts - 2)[cut]!
  const tool = { id: "call_1", name: "send" }
  const written = JSON.stringify({ to: argument })
  return [
    ...(reasoning === "" ? [] : pieces(reasoning).map((text): LlmEvent => ({ _tag: "ReasoningDelta", id: "r", text }))),
    ...pieces(text).map((text): LlmEvent => ({ _tag: "TextDelta", id: "t", text })),
    ...(argument === undefined
      ? []
      : ([
          { _tag: "ToolInputStart", ...tool },
          ...pieces(written).map((text): LlmEvent => ({ _tag: "ToolInputDelta", id: tool.id, text })),
          { _tag: "ToolInputEnd", id: tool.id },
          { _tag: "ToolCall", ...tool, arguments: written, valid: true }
        ] as const)),
    { _tag: "Finish", reason: argument === undefined ? "stop" : "tool-calls", usage: { source: "none" } }
  ]
}

/** The answers as the simulator plays them: `text-0`, `text-1`, … */
export const script = Object.entries(answers).flatMap(([name, said]) =>
  Array.from({ length: cuts }, (_, cut) => ({ model: `${name}-${cut}`, reply: eventsOf(said, cut) }))
)

/** A filter, the answer that it is tried on, and what of it is left; what is not named here is left empty. */
export interface Case {
  readonly name: string
  readonly filter: object
  readonly answer: AnswerName
  readonly left: { readonly text?: string; readonly reasoning?: string; readonly argument?: string }
  readonly outcome: object
}

const completed = { kind: "Completed", finish: "stop" }
const calling = { kind: "Completed", finish: "tool-calls" }
const refused = (reason: string) => ({ kind: "Refused", reason })
const until = "Write to "

/** Where the services are that filters ask. */
export interface Services {
  readonly http: string
  readonly mcp: string
}

/** Every kind of filter of answers, in every way that it acts. */
export const casesFor = ({ http, mcp }: Services): ReadonlyArray<Case> => [
  {
    name: "redact",
    filter: { kind: "redact" },
    answer: "all",
    left: { reasoning: "It is [EMAIL], I think.", text: "Write to [EMAIL] today.", argument: "To [EMAIL]." },
    outcome: calling
  },
  {
    name: "mask",
    filter: { kind: "redact", action: "mask" },
    answer: "all",
    left: {
      reasoning: "It is ****.***@*******.***, I think.",
      text: "Write to ****.***@*******.*** today.",
      argument: "To ****.***@*******.***."
    },
    outcome: calling
  },
  {
    name: "hide",
    filter: { kind: "block", words: [secret], action: "hide" },
    answer: "all",
    left: {
      reasoning: "It is ********************, I think.",
      text: "Write to ******************** today.",
      argument: "To ********************."
    },
    outcome: calling
  },
  {
    name: "refuse-early",
    filter: { kind: "block", patterns: ["[a-z.]+@[a-z.]+"] },
    answer: "all",
    left: { reasoning: "It is " },
    outcome: refused("it holds what is not allowed")
  },
  {
    name: "refuse",
    filter: { kind: "block", words: [secret], reason: "no names" },
    answer: "text",
    left: { text: until },
    outcome: refused("no names")
  },
  {
    name: "block-stop",
    filter: { kind: "block", words: [secret], action: "stop" },
    answer: "text",
    left: { text: until },
    outcome: { kind: "Limited", reason: "it holds what is not allowed" }
  },
  {
    name: "hand-off",
    filter: { kind: "block", words: [secret], action: "hand-off", target: "other", on: ["answer"] },
    answer: "first",
    left: { text: "I am another." },
    outcome: { kind: "HandedOff", target: "other" }
  },
  {
    name: "hand-off-late",
    filter: { kind: "block", words: [secret], action: "hand-off", target: "other", on: ["answer"] },
    answer: "text",
    left: { text: until },
    outcome: { kind: "HandedOff", target: "other" }
  },
  {
    name: "stop",
    filter: { kind: "stop", words: ["to"] },
    answer: "text",
    left: { text: "Write " },
    outcome: completed
  },
  {
    name: "replace",
    filter: {
      kind: "replace",
      rules: [
        { text: secret, with: "somebody" },
        { pattern: "W(rite)", with: "w$1" }
      ]
    },
    answer: "all",
    left: { reasoning: "It is somebody, I think.", text: "write to somebody today.", argument: "To somebody." },
    outcome: calling
  },
  {
    name: "length",
    filter: { kind: "length", characters: 9 },
    answer: "text",
    left: { text: until },
    outcome: { kind: "Limited", reason: "it is longer than 9 characters" }
  },
  {
    name: "schema",
    filter: { kind: "schema", schema: { type: "object" }, action: "refuse" },
    answer: "text",
    left: {},
    outcome: { kind: "Refused" }
  },
  {
    name: "language",
    filter: { kind: "language", allow: ["en"], hold: true },
    answer: "german",
    left: {},
    outcome: refused("it is in a language that is not allowed here: de")
  },
  {
    name: "model-refuses",
    filter: { kind: "model", model: "refusing", policy: "Name nobody.", on: ["answer"] },
    answer: "all",
    left: {},
    outcome: refused("it names somebody")
  },
  {
    name: "model-replaces",
    filter: { kind: "model", model: "replacing", policy: "Name nobody.", on: ["answer"] },
    answer: "text",
    left: { text: "Nobody." },
    outcome: completed
  },
  {
    name: "model-parallel",
    filter: { kind: "model", model: "refusing", policy: "Name nobody.", parallel: true },
    answer: "all",
    left: {},
    outcome: refused("it names somebody")
  },
  {
    name: "http",
    filter: { kind: "http", url: http, on: ["answer"], mode: "final" },
    answer: "all",
    left: { reasoning: "It is somebody, I think.", text: "Write to somebody today.", argument: "To somebody." },
    outcome: calling
  },
  {
    name: "http-windows",
    filter: { kind: "http", url: `${http}?refuse`, on: ["answer"], characters: 24, overlap: 20, wait: "1h" },
    answer: "text",
    left: { text: "Write to" },
    outcome: refused("no names")
  },
  {
    name: "mcp",
    filter: { kind: "mcp", url: mcp, tool: "check", on: ["answer"], mode: "final" },
    answer: "all",
    left: { reasoning: "It is somebody, I think.", text: "Write to somebody today.", argument: "To somebody." },
    outcome: calling
  }
]
