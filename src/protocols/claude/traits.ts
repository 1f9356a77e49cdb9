/** What the models of Claude take differently, wherever they are asked. */
export interface ClaudeTraits {
  /** how a model is told to think: by a budget of tokens, by an effort alone, by either, not at all, or as it was asked for */
  readonly thinking: "budget" | "effort" | "either" | "none" | "unknown"
  /** how it is told not to: by saying nothing, in these words, or it always does */
  readonly silence: "unsaid" | "disabled" | "between_tools" | "never"
  /** the highest words of effort that it knows; none where it knows no effort */
  readonly topEffort: "none" | "high" | "max" | "all"
  /** which of `temperature`, `top_p` and `top_k` may be set: all, not two of the first ones at once, or none */
  readonly sampling: "all" | "one" | "none"
  /** whether it can be made to call a tool */
  readonly forcedCalls: boolean
  /** whether an answer can be held to a schema, and the calls of tools to theirs */
  readonly schemas: boolean
  /**
   * the most that it writes, in tokens, where asking for so much does no harm: an older model refuses a request whose prompt
   * leaves no room for it
   */
  readonly maxOutput?: number
}

interface ClaudeModel {
  readonly family: string
  /** 4.5 is 4.5 */
  readonly generation: number
}

/** The lines of models that think always and began in their fifth generation; a preview has no number. */
const thinkers: ReadonlySet<string> = new Set(["fable", "mythos"])

/** A model by its id in whatever API: `claude-opus-4-5`, `claude-3-7-sonnet`, `anthropic/claude-opus-4.7`. */
const modelOf = (id: string): ClaudeModel | undefined => {
  const name = /claude-(.*)/.exec(id)?.[1]
  if (name === undefined) return undefined
  const family = /opus|sonnet|haiku|fable|mythos/.exec(name)?.[0] ?? ""
  const [, major, minor = "0"] = /^(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2})(?!\d))?/.exec(name) ?? []
  if (major !== undefined) return { family, generation: Number(major) + Number(minor) / 10 }
  return thinkers.has(family) ? { family, generation: 5 } : undefined
}

/** Whether a model is one of Claude, by its id in whatever API. */
export const isClaude = (model: string): boolean => model.includes("claude")

/** The generation of a model, a number such as 4.5; undefined where its id does not say it. */
export const claudeGeneration = (model: string): number | undefined => modelOf(model)?.generation

/** Whether a model goes on with a beginning of its answer, which Claude did up to 4.5 and refuses since. */
export const claudeContinues = (model: string): boolean | undefined => {
  const generation = claudeGeneration(model)
  return generation === undefined ? undefined : generation < 4.6
}

/** What is expected of a model of which nothing is known: that it takes whatever the API has. */
export const anyTraits: ClaudeTraits = {
  thinking: "unknown",
  silence: "disabled",
  topEffort: "all",
  sampling: "all",
  forcedCalls: true,
  schemas: true
}

/** What is known of a model by its id; undefined where it is no Claude model, or does not say which. */
export const claudeTraits = (model: string): ClaudeTraits | undefined => {
  const known = modelOf(model)
  if (known === undefined) return undefined
  const { family, generation } = known
  return {
    thinking: generation >= 4.7 ? "effort" : generation >= 4.6 ? "either" : generation >= 3.7 ? "budget" : "none",
    silence: silenceOf(known),
    topEffort:
      generation >= 4.7 ? "all" : generation >= 4.6 ? "max" : family === "opus" && generation >= 4.5 ? "high" : "none",
    sampling: generation >= 4.7 ? "none" : generation >= 4.1 ? "one" : "all",
    forcedCalls: generation < (thinkers.has(family) ? 5.1 : family === "haiku" ? Infinity : 5.5),
    schemas: generation >= 4.5,
    ...(generation >= 4.5 ? { maxOutput: generation >= 4.7 ? 128_000 : 64_000 } : {})
  }
}

const silenceOf = ({ family, generation }: ClaudeModel): ClaudeTraits["silence"] => {
  if (thinkers.has(family)) return "never"
  if (generation >= 4.7 && generation < 5) return "unsaid"
  if (generation < 5.5 || family === "haiku") return "disabled"
  return family === "sonnet" ? "between_tools" : "never"
}
