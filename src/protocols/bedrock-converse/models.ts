import { claudeGeneration } from "../claude.ts"

/**
 * What the models behind the API take differently. A model is known by its id alone (`us.anthropic.claude-…`, or an ARN that
 * ends so); the name of a provisioned model or of a profile of one's own says nothing.
 */
export interface ModelTraits {
  /** whose fields `additionalModelRequestFields` are */
  readonly family: "claude" | "nova" | "other" | "unknown"
  /** how the model is told to think: by a budget of tokens, by an effort alone, by either, or not at all that is known here */
  readonly thinking: "budget" | "effort" | "either" | "none"
  /** whether an answer can be held to a schema, and the calls of tools to theirs */
  readonly schemas: boolean
}

const claudeTraits = (generation: number): ModelTraits => ({
  family: "claude",
  thinking: generation >= 4.7 ? "effort" : generation >= 4.6 ? "either" : generation >= 3.7 ? "budget" : "none",
  schemas: generation >= 4.5
})

/** The traits of a model. */
export const traitsOf = (model: string): ModelTraits => {
  const generation = claudeGeneration(model)
  if (generation !== undefined) return claudeTraits(generation)
  if (/amazon\.nova/.test(model)) return { family: "nova", thinking: "none", schemas: false }
  if (model.startsWith("arn:") && !model.slice(model.lastIndexOf("/")).includes(".")) {
    return { family: "unknown", thinking: "none", schemas: false }
  }
  return { family: "other", thinking: "none", schemas: false }
}
