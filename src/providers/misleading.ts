import { failure, type LlmError } from "../domain/LlmError.ts"

const noModel = (model: string): LlmError =>
  failure(
    { _tag: "UnknownModel", model, near: [] },
    `The model ${JSON.stringify(model)} does not exist: no model can have such a name`
  )

/** Why no provider has a model of this name: there is half a character in it, which cannot be sent. */
export const unsendable = (model: string): LlmError | undefined => (model.isWellFormed() ? undefined : noModel(model))

/** Parts of a path that lead elsewhere; some servers take them for that however they are encoded. */
const leadsElsewhere = /(?:^|\/)\.\.?(?:\/|$)/

/**
 * Why nobody is asked at this path. Callers name models as they like, and some formats have the name in the path: there
 * `..` would lead to whatever else the provider's key opens. Undefined where the path is what it seems.
 */
export const misleading = (path: string): LlmError | undefined => {
  const meant = decodeURIComponent(path.replace(/\?.*/s, ""))
  return leadsElsewhere.test(meant)
    ? failure(
        { _tag: "InvalidRequest", kind: "type", path: "model" },
        `No model can have such a name: it would lead elsewhere (${meant})`
      )
    : undefined
}
