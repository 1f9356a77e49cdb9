import type { LlmEvent } from "../../domain/LlmEvent.ts"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { takesText } from "../FreeText.ts"
import { callFields } from "../CallOrigin.ts"
import { isObject, parseJson, type JsonObject } from "../open-document.ts"
import type { CallHead } from "./item-writers.ts"
import { placeOfTool } from "./namespaces.ts"
import { openAiResponsesId } from "./wire.ts"

/** Ids of items, which tell by their beginning what an item is; those that the provider gave are kept. */
export class ItemIds {
  private readonly base: string
  private made = 0

  constructor(responseId: string) {
    this.base = responseId.replace(/^resp_/, "")
  }

  /** The id that a text's block was given by its message. */
  statedMessage(block: string): string | undefined {
    return block.startsWith("msg_") ? block.replace(/#\d+$/, "") : undefined
  }

  message(): string {
    return this.make("msg")
  }

  reasoning(block: string): string {
    return block.startsWith("rs_") ? block : this.make("rs")
  }

  call({ more, custom }: CallHead): string {
    const { id } = more
    return typeof id === "string" ? id : this.make(custom ? "ctc" : "fc")
  }

  item(kind = "item"): string {
    return this.make(kind)
  }

  private make(kind: string): string {
    return `${kind}_${this.base}_${this.made++}`
  }
}

type ToolStart = Pick<Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>, "id" | "name" | "origin">

/** A call but for its arguments: as this format once described it, or as a plain one. */
export const callHeadOf = (call: ToolStart, { tools }: LlmRequest): CallHead => {
  const own = callFields(call, openAiResponsesId)
  const place = placeOfTool(call.name, tools)
  const custom = own["type"] === "custom_tool_call" || takesText(tools, call.name)
  const more = { ...present({ namespace: place?.namespace["name"] }), ...own }
  return { callId: call.id, name: place?.name ?? call.name, custom, more }
}

/** A call that a provider of another format ran, as the hosted tool of this one that does the same; there may be none. */
export const itemOfCall = (
  { name, arguments: text }: { readonly name: string; readonly arguments: string },
  ids: ItemIds
): JsonObject | undefined => {
  if (name !== "web_search") return undefined
  const input = parseJson(text)
  const query = isObject(input) && typeof input["query"] === "string" ? input["query"] : ""
  return { id: ids.item("ws"), type: "web_search_call", status: "completed", action: { type: "search", query } }
}

/** An image that the model made, as the item of the tool that makes images here. */
export const itemOfMedia = (
  { mediaType, data }: { readonly mediaType: string; readonly data: string },
  ids: ItemIds
): JsonObject | undefined =>
  mediaType.startsWith("image/")
    ? {
        id: ids.item("ig"),
        type: "image_generation_call",
        status: "completed",
        output_format: mediaType.slice("image/".length),
        result: data
      }
    : undefined
