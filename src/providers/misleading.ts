import { failure, type LlmError } from "../domain/LlmError.ts"

/** Parts that lead elsewhere where a name stands in a path; no way to encode them takes that from them. */
const leadsElsewhere = /(?:^|\/)\.\.?(?:\/|$)/

/**
 * Why a provider is not asked for a model of this name. Callers name models as they like, and formats have the name in the
 * path: there `..` would lead to whatever else the provider's key opens. Undefined where it is a name.
 */
export const misleading = (model: string): LlmError | undefined =>
  leadsElsewhere.test(model) || !model.isWellFormed()
    ? failure(
        { _tag: "UnknownModel", model, near: [] },
        `The model ${JSON.stringify(model)} does not exist: no model can have such a name`
      )
    : undefined
