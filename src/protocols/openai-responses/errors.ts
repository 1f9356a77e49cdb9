import type { LlmError } from "../../domain/LlmError.ts"
import type { JsonObject } from "../open-document.ts"
import { openAiErrorObject } from "../openai/errors.ts"

/** The fields of the `error` event that tells a failure in a stream. SDKs show the code: there is always one. */
export const errorFields = (error: LlmError): JsonObject => {
  const { type, code, message, param } = openAiErrorObject(error)
  return { code: code ?? type, message, param }
}
