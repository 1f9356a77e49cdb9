import { failure, type LlmError } from "../domain/LlmError.ts"

type Headers = { readonly [name: string]: string }

/** What an answer says that it is, where that is nothing which could be read here. */
const whatElse = (headers: Headers): string | undefined => {
  const encoding = headers["content-encoding"] ?? "identity"
  if (encoding !== "identity")
    return `compressed (content-encoding: ${encoding.slice(0, 40)}), which it was asked not to be`
  const isPage = headers["content-type"]?.startsWith("text/html") === true
  return isPage ? "a web page, so something else is at its baseUrl than its API" : undefined
}

/** The failure to read an answer from its beginning on, told as what the head of the answer explains it by. */
export const asSomethingElse = (error: LlmError, headers: Headers): LlmError => {
  const { _tag } = error.reason
  const what = _tag === "InvalidOutput" || _tag === "IncompleteStream" ? whatElse(headers) : undefined
  return what === undefined ? error : failure(error.reason, `The provider's answer is ${what}`)
}
