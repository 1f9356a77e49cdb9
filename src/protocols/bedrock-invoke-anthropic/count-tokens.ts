import { Result } from "effect"
import { countPath, countsSome } from "../bedrock-converse/count-tokens.ts"
import type { Protocol } from "../Protocol.ts"
import { encodeRequest } from "./encode-request.ts"

/** How InvokeModel's service is asked for the size of a request: the body that would be sent, as bytes. */
export const countTokens: NonNullable<Protocol["countTokens"]> = {
  ...countsSome,
  encode: (request, context) =>
    Result.flatMap(countPath(context), (path) =>
      Result.map(encodeRequest(request, { ...context, delivery: "whole" }), (encoded) => ({
        ...encoded,
        path,
        body: { input: { invokeModel: { body: Buffer.from(JSON.stringify(encoded.body)).toString("base64") } } }
      }))
    )
}
