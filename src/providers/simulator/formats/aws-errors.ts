import { statusOf, type LlmError } from "../../../domain/LlmError.ts"
import type { RenderedAnswer } from "../../../protocols/Dialect.ts"
import { awsException } from "../../../wire/AwsMessage.ts"

const exceptionOf = ({ reason }: LlmError): string => {
  switch (reason._tag) {
    case "RateLimited":
      return "ThrottlingException"
    case "QuotaExceeded":
      return "ServiceQuotaExceededException"
    case "Overloaded":
      return "ServiceUnavailableException"
    case "UpstreamServer":
    case "Internal":
      return "InternalServerException"
    case "Unauthorized":
      return "UnrecognizedClientException"
    case "PermissionDenied":
      return "AccessDeniedException"
    case "UnknownModel":
      return "ResourceNotFoundException"
    default:
      return "ValidationException"
  }
}

/** The answer to a request that failed: the exception's name in a header, why in the body. */
export const renderAwsError = (error: LlmError): RenderedAnswer => ({
  status: statusOf(error),
  headers: { "x-amzn-errortype": exceptionOf(error) },
  body: { message: error.message }
})

/** The message that ends a stream which failed. In streams the names of exceptions begin small. */
export const awsFailure = (error: LlmError): Buffer => {
  const name = exceptionOf(error)
  return awsException(name.charAt(0).toLowerCase() + name.slice(1), { message: error.message })
}
