import type { Extensions, LlmRequest, MediaPart, Message, Part, Role, ToolResultPart } from "../domain/LlmRequest.ts"
import { present } from "../domain/present.ts"
import type { BlockKind } from "./HoldBack.ts"
import { mapStrings } from "./json-values.ts"
import { scanWhole, type TextScanner } from "./TextScanner.ts"
import { type Ending, isEnding } from "./Verdict.ts"

/** The scanner for a text of a request, or none where it is of no concern. `tool` is the tool whose arguments it is. */
export type RequestScanner = (kind: BlockKind, role: Role, tool?: string) => TextScanner | undefined

/** The same array where nothing in it changed. */
const mapped = <A>(values: ReadonlyArray<A>, change: (value: A) => A): ReadonlyArray<A> => {
  const changed = values.map(change)
  return changed.every((value, index) => value === values[index]) ? values : changed
}

/** What files of text say they are. */
const isTextType =
  /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml|yaml|x-yaml|x-ndjson|jsonl|csv|javascript|sql)\b)/i

/** What a file says, if it is a text. */
export const textOfFile = ({ mediaType = "", source }: MediaPart): string | undefined =>
  source._tag === "Base64" && isTextType.test(mediaType)
    ? Buffer.from(source.data, "base64").toString("utf8")
    : undefined

/** Scans the texts of one request; after a verdict nothing is scanned any more. */
class RequestTexts {
  ending: Ending | undefined
  private readonly scannerFor: RequestScanner

  constructor(scannerFor: RequestScanner) {
    this.scannerFor = scannerFor
  }

  text(text: string, kind: BlockKind, role: Role, tool?: string): string {
    const scanner = this.ending === undefined ? this.scannerFor(kind, role, tool) : undefined
    if (scanner === undefined) return text
    const scanned = scanWhole(scanner, text)
    if (!isEnding(scanned)) return scanned
    this.ending = scanned
    return text
  }

  value<A>(value: A, role: Role): A {
    if (this.scannerFor("value", role) === undefined) return value
    const to = mapStrings(value, (text) => this.text(text, "value", role))
    return isEnding(to) ? value : to
  }

  message(message: Message): Message {
    const { role } = message
    const parts = mapped(message.parts, (part) => this.part(part, role))
    const { name, extensions } = this.value({ name: message.name, extensions: message.extensions }, role)
    if (parts === message.parts && name === message.name && extensions === message.extensions) return message
    return {
      ...message,
      parts,
      ...present({ name, extensions })
    }
  }

  private part(part: Part, role: Role): Part {
    switch (part._tag) {
      case "Text":
        return this.extended(part, { text: this.text(part.text, "text", role) }, role)
      case "Refusal": {
        const text = this.text(part.text, "text", role)
        return text === part.text ? part : { ...part, text }
      }
      case "Reasoning": {
        // What is signed is taken back unchanged or not at all.
        if (part.signature !== undefined) return part
        const text = this.text(part.text, "reasoning", role)
        return text === part.text ? part : { ...part, text }
      }
      case "ToolCall": {
        const text = this.text(part.arguments, "toolArguments", role, part.name)
        return this.extended(part, { arguments: text }, role)
      }
      case "ToolResult": {
        return this.extended(part, { content: mapped(part.content, (one) => this.result(one, role)) }, role)
      }
      case "Opaque": {
        // In the turn of an assistant these are the blocks of tools that its provider ran.
        const value = this.value(part.value, role === "assistant" ? "tool" : role)
        return value === part.value ? part : { ...part, value }
      }
      case "Media":
        return this.media(part, role)
    }
  }

  /** A file: what it is called, and what it says if it is a text. */
  private media(part: MediaPart, role: Role): MediaPart {
    const called = this.value(part.filename, role)
    const changed = called === undefined ? {} : { filename: called }
    const said = textOfFile(part)
    if (said === undefined) return this.extended(part, changed, role)
    const text = this.text(said, "text", role)
    if (text === said) return this.extended(part, changed, role)
    const data = Buffer.from(text, "utf8").toString("base64")
    return this.extended(part, { ...changed, source: { _tag: "Base64", data } }, role)
  }

  /** A part with what its format says of it beside (the title of a document), the same where all of it is as it was. */
  private extended<A extends Part & { readonly extensions?: Extensions }>(part: A, changed: Partial<A>, role: Role): A {
    const extensions = this.value(part.extensions, role)
    // The keys of a part that was changed are its own.
    const isSame = Object.entries(changed).every(([key, value]) => part[key as keyof A] === value)
    if (isSame && extensions === part.extensions) return part
    return { ...part, ...changed, ...present({ extensions }) }
  }

  private result(part: ToolResultPart["content"][number], role: Role): ToolResultPart["content"][number] {
    if (part._tag === "Media") return this.media(part, role)
    if (part._tag === "Opaque") {
      const value = this.value(part.value, role)
      return value === part.value ? part : { ...part, value }
    }
    return this.extended(part, { text: this.text(part.text, "text", role) }, role)
  }
}

/**
 * A request with its texts scanned: what everyone said, tool arguments and results, and what the caller tells of the user;
 * the same object where nothing was changed. Media but files of text, and what a provider signed, stay as they are.
 */
export const scanRequest = (request: LlmRequest, scannerFor: RequestScanner): LlmRequest | Ending => {
  const texts = new RequestTexts(scannerFor)
  const messages = mapped(request.messages, (message) => texts.message(message))
  const about = { user: request.user, metadata: request.metadata, extensions: request.extensions }
  const told = texts.value(about, "user")
  if (texts.ending !== undefined) return texts.ending
  if (messages === request.messages && told === about) return request
  return {
    ...request,
    messages,
    ...present({ user: told.user, metadata: told.metadata, extensions: told.extensions })
  }
}
