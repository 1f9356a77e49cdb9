import type { Notice } from "../../domain/Call.ts"
import type { GeneratedLogprob, Source } from "../../domain/LlmEvent.ts"
import type { Choice, LlmResponse, ResponsePart } from "../../domain/LlmResponse.ts"
import { present } from "../../domain/present.ts"
import type { RenderContext } from "../Dialect.ts"
import { ownFields } from "../extensions.ts"
import { ownBlock } from "../foreign-blocks.ts"
import { Notices } from "../Notices.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import { rawFinishReasonOf } from "./finish-reasons.ts"
import { logprobsResult } from "./logprobs.ts"
import {
  callPart,
  fragmentOf,
  headFields,
  isSignature,
  noCounterpart,
  refusalIsText,
  sourceFields,
  thoughtPart
} from "./parts.ts"
import { isBlocked } from "./render-events.ts"
import type { FirstText } from "./sources.ts"
import { usageMetadata } from "./usage.ts"
import { geminiId } from "./wire.ts"

/** Renders a whole answer. */
export const renderWhole = (response: LlmResponse, context: RenderContext, notices: Array<Notice>): JsonObject => {
  const said = new Notices(noCounterpart, notices)
  const gathered = response.choices.map((choice) => new Gathered(choice, said))
  const fields: JsonObject = Object.assign({}, ...gathered.map((choice) => choice.response))
  const own = fieldsOf(ownFields(response.choices[0]?.finish ?? {}, geminiId)["usageMetadata"])
  const blocked = isBlocked(fields) && gathered.every(({ parts }) => parts.length === 0)
  return {
    ...(blocked ? {} : { candidates: gathered.map((choice) => choice.candidate(said)) }),
    ...fields,
    ...present({ usageMetadata: usageMetadata(response.usage, response.serviceTier, said, own) }),
    ...headFields(response, context)
  }
}

/** One choice as the parts and fields that it comes to. */
class Gathered {
  readonly parts: Array<JsonObject> = []
  response: JsonObject = {}
  private readonly choice: Choice
  private fields: JsonObject = {}
  private refused = false
  private first: FirstText | undefined
  private readonly sources: Array<Source>
  private readonly logprobs: Array<GeneratedLogprob> = []

  constructor(choice: Choice, said: Notices) {
    this.choice = choice
    this.sources = [...(choice.sources ?? [])]
    for (const part of choice.parts) this.add(part, said)
  }

  candidate(said: Notices): JsonObject {
    const { finish, index } = this.choice
    return {
      content: { parts: this.parts, role: "model" },
      finishReason: rawFinishReasonOf(finish ?? { reason: "unknown" }, this.refused, said),
      index,
      ...(this.logprobs.length === 0 ? {} : { logprobsResult: logprobsResult(this.logprobs) }),
      ...this.fields,
      ...sourceFields(this.sources, this.first, said)
    }
  }

  private add(part: ResponsePart, said: Notices): void {
    switch (part._tag) {
      case "Text":
        this.logprobs.push(...(part.logprobs ?? []))
        this.sources.push(...(part.sources ?? []))
        this.first ??= { id: part.id, text: part.text, ...present({ part: this.parts.length || undefined }) }
        this.parts.push({ text: part.text })
        return
      case "Refusal":
        this.refused = true
        said.add("emulated", refusalIsText)
        this.parts.push({ text: part.text })
        return
      case "Reasoning":
        this.parts.push(thoughtPart(part.text, part))
        return
      case "Media":
        this.parts.push({ inlineData: { mimeType: part.mediaType, data: part.data } })
        return
      case "ToolCall":
        return this.push(callPart(part, said))
      case "ToolResult":
        return this.push(ownBlock(part, geminiId, said))
      case "Opaque": {
        const fragment = fragmentOf(part, said) ?? {}
        this.fields = { ...this.fields, ...fragment.candidate }
        this.response = { ...this.response, ...fragment.response }
        if (fragment.beside !== undefined) this.annotate(fragment.beside)
        return this.push(fragment.part)
      }
    }
  }

  /** What is said of a medium; nothing where that did not come through. */
  private annotate(beside: JsonObject): void {
    const last = this.parts.at(-1)
    if (last?.["inlineData"] !== undefined) this.parts[this.parts.length - 1] = { ...last, ...beside }
  }

  /** A lone signature is that of the part before it. */
  private push(part: JsonObject | undefined): void {
    if (part === undefined) return
    const signed = isSignature(part) ? this.parts.pop() : undefined
    this.parts.push(isSignature(part) ? { ...(signed ?? { text: "" }), ...part } : part)
  }
}
