import type { Quirks } from "../protocols/Protocol.ts"

/** What is peculiar to the models of a provider that are named so. */
export type PeculiarModels = ReadonlyArray<readonly [models: RegExp, quirks: Quirks]>

const none: PeculiarModels = []

/** What is peculiar about a model: what holds for all of its provider, and what for those that are named like it. */
export const quirksFor = (
  model: string,
  { quirks, peculiar = none }: { readonly quirks: Quirks; readonly peculiar?: PeculiarModels }
): Quirks => {
  let all = quirks
  for (const [models, more] of peculiar) if (models.test(model)) all = { ...all, ...more }
  return all
}
