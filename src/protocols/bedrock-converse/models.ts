import { cachesLong } from "../claude/cloud-cache.ts"
import { anyTraits, claudeTraits, type ClaudeTraits } from "../claude/traits.ts"

/**
 * What the models behind the API take differently. A model is known by its id alone (`us.anthropic.claude-…`, or an ARN that
 * ends so); the name of a provisioned model or of a profile of one's own says nothing.
 */
export interface ModelTraits extends ClaudeTraits {
  /** whose fields `additionalModelRequestFields` are */
  readonly family: "claude" | "nova" | "other" | "unknown"
  /** whether what it read can be kept where the caller marks it: not at all, for five minutes, for an hour too */
  readonly caching: "none" | "short" | "long"
}

/** The models of Claude that keep nothing here, and refuse marks, though the third generation does at its maker's. */
const forgetful = /claude-(?:v2|instant|3-(?:opus|sonnet|haiku|5-sonnet-20240620))/

const claudeCaching = (model: string): ModelTraits["caching"] =>
  forgetful.test(model) ? "none" : cachesLong(model) ? "long" : "short"

/** What is known of models in Claude's words where they are none of Claude's: nothing that it has is theirs. */
const plain: ClaudeTraits = { ...anyTraits, thinking: "none", silence: "unsaid", topEffort: "none", schemas: false }

/** The traits of a model. */
export const traitsOf = (model: string): ModelTraits => {
  if (model.includes("claude")) {
    return { ...(claudeTraits(model) ?? plain), family: "claude", caching: claudeCaching(model) }
  }
  if (/amazon\.nova/.test(model)) return { ...plain, family: "nova", caching: "short" }
  const named = !model.startsWith("arn:") || model.slice(model.lastIndexOf("/")).includes(".")
  // The models of OpenAI that reason draw tokens in their own way.
  const sampling = /openai\.gpt-[5-9]/.test(model) ? "none" : plain.sampling
  return {
    ...plain,
    sampling,
    ...(named ? { family: "other", caching: "none" } : { family: "unknown", caching: "long" })
  }
}
