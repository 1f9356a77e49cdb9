/**
 * The generation of a Claude model, by its id in whatever API: 4.5 is 4.5. The names of Claude 3 and before put the number
 * elsewhere and count as 3, but for the one that thinks. Undefined where it is no Claude model.
 */
export const claudeGeneration = (model: string): number | undefined => {
  if (!model.includes("claude")) return undefined
  const [, major, minor = "0"] = /claude-[a-z]+-(\d+)(?:-(\d{1,2})(?!\d))?/.exec(model) ?? []
  if (major !== undefined) return Number(major) + Number(minor) / 10
  return model.includes("claude-3-7") ? 3.7 : 3
}

/** Whether a model goes on with a beginning of its answer, which Claude did up to 4.5 and refuses since. */
export const claudeContinues = (model: string): boolean | undefined => {
  const generation = claudeGeneration(model)
  return generation === undefined ? undefined : generation < 4.6
}
