import { Result } from "effect"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import { tokenCount } from "../token-counts.ts"
import type { EncodeContext, Protocol } from "../Protocol.ts"
import { encodeRequest } from "./encode-request.ts"

type Counting = NonNullable<Protocol["countTokens"]>

/** Where profiles of several regions are, as their ids begin. */
const regions = /^(?:global|us|us-gov|eu|apac|jp|au|ca)\.(?=[a-z0-9-]+\.)/

/**
 * Where Amazon Bedrock counts for a model. Models are counted for by their own names, without the regions of a profile; a
 * profile that has a name of its own does not say which model it is.
 */
export const countPath = ({ model }: EncodeContext): Result.Result<string, LlmError> =>
  model.startsWith("arn:") && !model.includes(":foundation-model/")
    ? Result.fail(
        failure({ _tag: "Unsupported", feature: "counting tokens" }, "The ARN does not say which model it is")
      )
    : Result.succeed(`/model/${encodeURIComponent(model.replace(regions, ""))}/count-tokens`)

/** Some models are counted for, in some regions, and for who may ask. */
export const countsSome: Pick<Counting, "partial" | "read"> = {
  partial: true,
  read: (body) => tokenCount(fieldsOf(body)["inputTokens"])
}

/** What of a request has tokens; nothing else may be asked with. */
const counted: ReadonlyArray<string> = ["messages", "system", "toolConfig", "additionalModelRequestFields"]
const countable = (body: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([field]) => counted.includes(field)))

/** How the Converse API is asked for the size of a request. */
export const countTokens: Counting = {
  ...countsSome,
  encode: (request, context) =>
    Result.flatMap(countPath(context), (path) =>
      Result.map(encodeRequest(request, { ...context, delivery: "whole" }), (encoded) => ({
        ...encoded,
        path,
        body: { input: { converse: countable(encoded.body) } }
      }))
    )
}
