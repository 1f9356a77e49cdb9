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

/** Claude 4.5 is 4.5; the names of Claude 3 put the number elsewhere and count as 3, but for the one that thinks. */
const claudeGeneration = (model: string): number => {
  const [, major, minor = "0"] = /claude-[a-z]+-(\d+)(?:-(\d{1,2})(?!\d))?/.exec(model) ?? []
  if (major !== undefined) return Number(major) + Number(minor) / 10
  return model.includes("claude-3-7") ? 3.7 : 3
}

const claudeTraits = (generation: number): ModelTraits => ({
  family: "claude",
  thinking: generation >= 4.7 ? "effort" : generation >= 4.6 ? "either" : generation >= 3.7 ? "budget" : "none",
  schemas: generation >= 4.5
})

/** The traits of a model. */
export const traitsOf = (model: string): ModelTraits => {
  if (/claude/.test(model)) return claudeTraits(claudeGeneration(model))
  if (/amazon\.nova/.test(model)) return { family: "nova", thinking: "none", schemas: false }
  if (model.startsWith("arn:") && !model.slice(model.lastIndexOf("/")).includes(".")) {
    return { family: "unknown", thinking: "none", schemas: false }
  }
  return { family: "other", thinking: "none", schemas: false }
}
