/** The name of the wire format, as a protocol. */
export const bedrockInvokeAnthropicId = "bedrock-invoke-anthropic"

/** The version of the Messages API as Amazon Bedrock has it. */
export const bedrockVersion = "bedrock-2023-05-31"
