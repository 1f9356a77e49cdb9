import { anyTraits, claudeTraits, type ClaudeTraits } from "../claude/traits.ts"

/**
 * What the models behind the API take differently. A model is known by its id alone (`us.anthropic.claude-…`, or an ARN that
 * ends so); the name of a provisioned model or of a profile of one's own says nothing.
 */
export interface ModelTraits extends ClaudeTraits {
  /** whose fields `additionalModelRequestFields` are */
  readonly family: "claude" | "nova" | "other" | "unknown"
}

/** How models are told to think is no affair of the API, and known of Claude alone. */
const plain: ClaudeTraits = { ...anyTraits, thinking: "none", silence: "unsaid", topEffort: "none", schemas: false }

/** The traits of a model. */
export const traitsOf = (model: string): ModelTraits => {
  if (model.includes("claude")) return { ...(claudeTraits(model) ?? plain), family: "claude" }
  if (/amazon\.nova/.test(model)) return { ...plain, family: "nova" }
  const named = !model.startsWith("arn:") || model.slice(model.lastIndexOf("/")).includes(".")
  return { ...plain, family: named ? "other" : "unknown" }
}
