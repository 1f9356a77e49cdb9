import { makeAwsEventStreamDecoder } from "../../wire/AwsEventStream.ts"
import { decodeAwsError } from "../AwsError.ts"
import { claudeContinues } from "../claude/traits.ts"
import type { Protocol } from "../Protocol.ts"
import { countTokens } from "./count-tokens.ts"
import { decodeWhole, makeStreamDecoder } from "./decode-stream.ts"
import { plainNames } from "../ToolNames.ts"
import { encodeRequest } from "./encode-request.ts"
import { bedrockConverseId } from "./wire.ts"

/**
 * The Converse API of Amazon Bedrock: one format for all its models, streamed as an AWS event stream.
 *
 * What only it knows is taken from `extensions["bedrock-converse"]` of the request and put into the body: `guardrailConfig`,
 * `performanceConfig`, `promptVariables`, `outputConfig`, and `additionalModelRequestFields`, the fields of the model's own
 * API. How much to think is settled there for Claude, Nova and the models of OpenAI; for others it has to be given so.
 * Media are sent as bytes or as `s3://` URLs, never as other URLs.
 */
export const bedrockConverse: Protocol = {
  id: bedrockConverseId,
  encode: encodeRequest,
  toolNames: plainNames(64),
  continues: claudeContinues,
  frames: makeAwsEventStreamDecoder,
  decoder: makeStreamDecoder,
  decodeWhole,
  countTokens,
  decodeError: decodeAwsError(bedrockConverseId)
}
