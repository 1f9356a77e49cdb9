import type { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmRequest, Sampling } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { Encoding } from "../Encoding.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import { dropSettings } from "../LackingSettings.ts"
import { endUser } from "../openai/account.ts"
import { unlessEmpty, type JsonObject } from "../open-document.ts"
import type { EncodeContext, EncodedRequest } from "../Protocol.ts"
import { nextTurn, renderPrompt, type Prompt } from "./prompt.ts"
import { openAiCompletionsId } from "./wire.ts"

/**
 * Encodes a request. `extensions["openai-completions"]` holds further fields of the body (`suffix`, `best_of`,
 * `logit_bias`, …), which win over what the request says canonically.
 */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const encoding = new Encoding(openAiCompletionsId, "the Completions API")
  const body = encodeBody(request, context, encoding)
  return encoding.encoded({ path: "/completions", headers: {}, body })
}

const encodeBody = (
  request: LlmRequest,
  { model, delivery, quirks }: EncodeContext,
  encoding: Encoding
): JsonObject => {
  const own = encoding.own(request.extensions)
  refuseForeignInput(request.messages, openAiCompletionsId, encoding)
  refuse(request, encoding)
  const prompt = renderPrompt(request.messages, encoding)
  return {
    model,
    prompt: prompt.text,
    ...encodeSampling(request.sampling, prompt, encoding),
    ...present({ user: endUser(request.user, encoding) }),
    stream: delivery === "stream",
    ...(delivery === "stream" && quirks.noStreamOptions !== true ? { stream_options: { include_usage: true } } : {}),
    ...own
  }
}

/** What decides over the answer cannot be left out; what only tunes it can. */
const refuse = (request: LlmRequest, encoding: Encoding): void => {
  const { tools = [], toolChoice, responseFormat } = request
  if (tools.length > 0 && toolChoice?._tag === "None") encoding.dropped("tools that must not be called")
  else if (tools.length > 0) encoding.unsupported("tools")
  if (responseFormat !== undefined && responseFormat._tag !== "Text") encoding.unsupported("response_format")
  const { mode, effort } = request.reasoning ?? {}
  if (request.reasoning !== undefined && mode !== "disabled" && effort !== "none") encoding.dropped("reasoning")
  dropSettings(request, ["service_tier", "metadata", "top_k"], encoding)
}

/** The output that is asked for where the caller set no limit, in tokens: room for an answer in a small context. */
const defaultMaxTokens = 1024
/** How many of the most likely tokens, and how many stop sequences, are taken. */
const maxTopLogprobs = 5
const maxStops = 4

const encodeSampling = (sampling: Sampling, prompt: Prompt, encoding: Encoding): JsonObject => {
  if (sampling.maxOutputTokens === undefined) {
    encoding.dropped(
      "an unlimited output",
      `the Completions API stops after 16 tokens where nothing is said, and ${defaultMaxTokens} were asked for`
    )
  }
  return present({
    max_tokens: sampling.maxOutputTokens ?? defaultMaxTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    seed: sampling.seed,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    n: sampling.choices,
    stop: stopsOf(sampling.stopSequences ?? [], prompt),
    logprobs: logprobsOf(sampling, encoding)
  })
}

/** A model that only goes on would go on with the user's next turn: where there is room, that ends the answer. */
const stopsOf = (stops: ReadonlyArray<string>, prompt: Prompt): ReadonlyArray<string> | undefined => {
  const all = prompt.labelled && stops.length < maxStops ? [...stops, nextTurn] : stops
  return unlessEmpty(all)
}

/** Here it is a number: how many others are told beside each token. */
const logprobsOf = ({ logprobs, topLogprobs = 0 }: Sampling, encoding: Encoding): number | undefined => {
  if (logprobs !== true) return undefined
  if (topLogprobs > maxTopLogprobs) {
    encoding.add("changed", `top_logprobs ${topLogprobs} is ${maxTopLogprobs}: the Completions API tells no more`)
  }
  return Math.min(topLogprobs, maxTopLogprobs)
}
