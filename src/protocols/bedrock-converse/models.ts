import { cachesLong } from "../claude/cloud-cache.ts"
import { anyTraits, claudeTraits, type ClaudeTraits } from "../claude/traits.ts"

/**
 * What the models behind the API take differently. A model is known by its id alone (`us.anthropic.claude-…`, or an ARN that
 * ends so); the name of a provisioned model or of a profile of one's own says nothing.
 */
export interface ModelTraits extends ClaudeTraits {
  /** whose fields `additionalModelRequestFields` are */
  readonly family: "claude" | "nova" | "other" | "unknown"
  /** whether what it read may be kept for longer than five minutes */
  readonly longCache: boolean
}

/** How models are told to think is no affair of the API, and known of Claude alone. */
const plain: ClaudeTraits = { ...anyTraits, thinking: "none", silence: "unsaid", topEffort: "none", schemas: false }

/** The traits of a model. */
export const traitsOf = (model: string): ModelTraits => {
  if (model.includes("claude")) {
    return { ...(claudeTraits(model) ?? plain), family: "claude", longCache: cachesLong(model) }
  }
  if (/amazon\.nova/.test(model)) return { ...plain, family: "nova", longCache: false }
  const named = !model.startsWith("arn:") || model.slice(model.lastIndexOf("/")).includes(".")
  return { ...plain, family: named ? "other" : "unknown", longCache: true }
}
