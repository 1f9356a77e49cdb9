import type { LlmRequest } from "../domain/LlmRequest.ts"

/** What a request may need that not every target can do. */
export const features = ["tools", "images", "audio", "files", "json", "reasoning"] as const
export type Feature = (typeof features)[number]

/** What is declared of a target; what is absent is not known, and taken for granted. */
export interface Capabilities {
  /** the largest context, in tokens: a request that is too long for one target goes on to one with a larger one */
  readonly contextWindow?: number
  /** everything it can do of the features there are */
  readonly features?: ReadonlyArray<Feature>
}

/** What a request needs. */
export const neededBy = ({ tools, messages, responseFormat, reasoning }: LlmRequest): ReadonlySet<Feature> => {
  const needed = new Set<Feature>()
  if (tools !== undefined && tools.length > 0) needed.add("tools")
  if (responseFormat !== undefined && responseFormat._tag !== "Text") needed.add("json")
  if (reasoning !== undefined && reasoning.mode !== "disabled" && reasoning.effort !== "none") needed.add("reasoning")
  for (const { parts } of messages) {
    for (const part of parts) {
      const content = part._tag === "ToolResult" ? part.content : [part]
      for (const piece of content) if (piece._tag === "Media") needed.add(featureOfMedia[piece.kind])
    }
  }
  return needed
}

const featureOfMedia = { image: "images", audio: "audio", file: "files" } as const

/** The first thing that a target is declared not to be able to do, of what a request needs. */
export const lacking = ({ features }: Capabilities, needed: ReadonlySet<Feature>): Feature | undefined => {
  if (features === undefined) return undefined
  for (const feature of needed) if (!features.includes(feature)) return feature
  return undefined
}
