import { readFileSync, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { LlmRequest, Message } from "../../src/domain/LlmRequest.ts"

/** A conversation and what somebody who reads it would say of it: the last part of a type, at the index of a message. */
export interface Labelled {
  readonly id: string
  readonly labels: ReadonlySet<string>
  readonly request: LlmRequest
}

const folder = fileURLToPath(new URL("../../test/signals/labelled/", import.meta.url))

/**
 * Reads the labelled conversations. A block begins with `# id label@message …`; then, a message a line, `U:` the person,
 * `A:` the model, `C:` calls of tools (several between ` | `), `O:` what a tool answered, `O!:` the same, marked as an error.
 */
export const labelledConversations = (): ReadonlyArray<Labelled> =>
  readdirSync(folder)
    .toSorted()
    .flatMap((file) =>
      readFileSync(`${folder}${file}`, "utf8")
        .split(/\n(?=# )/)
        .map(conversation)
    )

const conversation = (block: string): Labelled => {
  const [head = "", ...lines] = block.trim().split("\n")
  const [id = "", ...labels] = head.slice(2).split(" ")
  const calls: Array<string> = []
  return {
    id,
    labels: new Set(labels),
    request: { model: "any", sampling: {}, messages: lines.map((line) => message(line, id, calls)) }
  }
}

/** `open` are the ids of calls whose results have not come yet. */
const message = (line: string, id: string, open: Array<string>): Message => {
  const [, kind, content = ""] = /^(U|A|C|O|O!): (.*)$/.exec(line) ?? []
  const text = content.replaceAll("\\n", "\n")
  switch (kind) {
    case "U":
      return { role: "user", parts: [{ _tag: "Text", text }] }
    case "A":
      return { role: "assistant", parts: [{ _tag: "Text", text }] }
    case "C":
      return { role: "assistant", parts: content.split(" | ").map((written) => call(written, open)) }
    case "O":
    case "O!": {
      const callId = open.shift() ?? ""
      const result = { _tag: "ToolResult" as const, callId, content: [{ _tag: "Text" as const, text }] }
      return { role: "tool", parts: [kind === "O!" ? { ...result, isError: true } : result] }
    }
    default:
      throw new Error(`${id}: this line is no message: ${line}`)
  }
}

let calls = 0

const call = (written: string, open: Array<string>): Message["parts"][number] => {
  const at = written.indexOf(" ")
  const id = `call-${++calls}`
  open.push(id)
  return { _tag: "ToolCall", id, name: written.slice(0, at), arguments: written.slice(at + 1) }
}
