import type { JsonObject } from "../../src/protocols/open-document.ts"
import { chatParts, limit, schema, type RequestFeature } from "./requests.ts"

const config = (generationConfig: JsonObject): JsonObject => ({
  generationConfig: { maxOutputTokens: limit, ...generationConfig }
})
/** What a request can set. */
export const settingFeatures: ReadonlyArray<RequestFeature> = [
  {
    name: "structured output: any JSON",
    asked: {
      "openai-chat": { response_format: { type: "json_object" } },
      "openai-responses": { text: { format: { type: "json_object" } } },
      gemini: config({ responseMimeType: "application/json" })
    }
  },
  {
    name: "structured output: a JSON schema",
    trace: /city/,
    asked: {
      "openai-chat": { response_format: { type: "json_schema", json_schema: { name: "place", schema } } },
      "openai-responses": { text: { format: { type: "json_schema", name: "place", schema } } },
      "anthropic-messages": { output_config: { format: { type: "json_schema", schema } } },
      gemini: config({ responseMimeType: "application/json", responseJsonSchema: schema })
    }
  },
  {
    name: "reasoning: effort",
    asked: {
      "openai-chat": { reasoning_effort: "high" },
      "openai-responses": { reasoning: { effort: "high" } },
      "anthropic-messages": { output_config: { effort: "high" } },
      gemini: config({ thinkingConfig: { thinkingLevel: "HIGH" } })
    }
  },
  {
    name: "reasoning: budget",
    asked: {
      "anthropic-messages": { thinking: { type: "enabled", budget_tokens: 2048 } },
      gemini: config({ thinkingConfig: { thinkingBudget: 2048 } })
    }
  },
  {
    name: "reasoning: off",
    absence: true,
    asked: {
      "openai-chat": { reasoning_effort: "none" },
      "openai-responses": { reasoning: { effort: "none" } },
      "anthropic-messages": { thinking: { type: "disabled" } },
      gemini: config({ thinkingConfig: { thinkingBudget: 0 } })
    }
  },
  {
    name: "reasoning: summary",
    asked: {
      "openai-responses": { reasoning: { effort: "high", summary: "auto" } },
      "anthropic-messages": { thinking: { type: "enabled", budget_tokens: 2048, display: "summarized" } },
      gemini: config({ thinkingConfig: { includeThoughts: true, thinkingBudget: 2048 } })
    }
  },
  {
    name: "output limit",
    trace: /777/,
    asked: {
      "openai-chat": { max_completion_tokens: 777 },
      "openai-responses": { max_output_tokens: 777 },
      "anthropic-messages": { max_tokens: 777 },
      gemini: config({ maxOutputTokens: 777 })
    }
  },
  {
    name: "temperature",
    trace: /0\.25/,
    asked: {
      "openai-chat": { temperature: 0.25 },
      "openai-responses": { temperature: 0.25 },
      "anthropic-messages": { temperature: 0.25 },
      gemini: config({ temperature: 0.25 })
    }
  },
  {
    name: "top p",
    trace: /0\.75/,
    asked: {
      "openai-chat": { top_p: 0.75 },
      "openai-responses": { top_p: 0.75 },
      "anthropic-messages": { top_p: 0.75 },
      gemini: config({ topP: 0.75 })
    }
  },
  {
    name: "top k",
    trace: /37/,
    asked: { "openai-chat": { top_k: 37 }, "anthropic-messages": { top_k: 37 }, gemini: config({ topK: 37 }) }
  },
  { name: "seed", trace: /4711/, asked: { "openai-chat": { seed: 4711 }, gemini: config({ seed: 4711 }) } },
  {
    name: "stop sequences",
    trace: /END/,
    asked: {
      "openai-chat": { stop: ["END"] },
      "anthropic-messages": { stop_sequences: ["END"] },
      gemini: config({ stopSequences: ["END"] })
    }
  },
  {
    name: "frequency penalty",
    trace: /0\.375/,
    asked: { "openai-chat": { frequency_penalty: 0.375 }, gemini: config({ frequencyPenalty: 0.375 }) }
  },
  {
    name: "presence penalty",
    trace: /0\.375/,
    asked: { "openai-chat": { presence_penalty: 0.375 }, gemini: config({ presencePenalty: 0.375 }) }
  },
  { name: "several answers", asked: { "openai-chat": { n: 2 }, gemini: config({ candidateCount: 2 }) } },
  {
    name: "log probabilities",
    asked: {
      "openai-chat": { logprobs: true, top_logprobs: 3 },
      "openai-responses": { include: ["message.output_text.logprobs"], top_logprobs: 3 },
      gemini: config({ responseLogprobs: true, logprobs: 3 })
    }
  },
  {
    name: "cache markers",
    asked: {
      "openai-chat": chatParts({ type: "text", text: "Hello", cache_control: { type: "ephemeral" } }),
      "openai-responses": {
        input: [
          {
            role: "user",
            content: [{ type: "input_text", text: "Hello", prompt_cache_breakpoint: { mode: "explicit" } }]
          }
        ]
      },
      "anthropic-messages": chatParts({ type: "text", text: "Hello", cache_control: { type: "ephemeral" } })
    }
  },
  {
    name: "citations of documents",
    asked: {
      "anthropic-messages": chatParts({
        type: "document",
        source: { type: "text", media_type: "text/plain", data: "Hello" },
        title: "Paper",
        citations: { enabled: true }
      })
    }
  },
  {
    name: "service tier",
    asked: {
      "openai-chat": { service_tier: "priority" },
      "openai-responses": { service_tier: "priority" },
      "anthropic-messages": { service_tier: "standard_only" },
      gemini: { serviceTier: "priority" }
    }
  },
  {
    name: "user",
    trace: /user-7/,
    asked: {
      "openai-chat": { user: "user-7" },
      "openai-responses": { user: "user-7" },
      "anthropic-messages": { metadata: { user_id: "user-7" } }
    }
  },
  {
    name: "metadata",
    trace: /ticket-7/,
    asked: {
      "openai-chat": { metadata: { ticket: "ticket-7" } },
      "openai-responses": { metadata: { ticket: "ticket-7" } }
    }
  },
  {
    name: "settings that change within the conversation",
    asked: {
      "openai-responses": {
        input: [
          { type: "configuration_update", reasoning: { effort: "low" } },
          { role: "user", content: "Hello" }
        ]
      }
    }
  },
  {
    name: "cache key and verbosity",
    asked: {
      "openai-chat": { prompt_cache_key: "tenant-7", safety_identifier: "user-7", verbosity: "low" },
      "openai-responses": { prompt_cache_key: "tenant-7", safety_identifier: "user-7", text: { verbosity: "low" } }
    }
  },
  {
    name: "a setting of its own",
    asked: {
      "openai-chat": { logit_bias: { 42: -100 } },
      "openai-responses": { truncation: "auto" },
      "anthropic-messages": { context_management: { edits: [] } },
      gemini: { safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }] }
    }
  },
  {
    name: "what a provider stores",
    asked: {
      "openai-responses": { previous_response_id: "resp_7" },
      "anthropic-messages": { container: "container_7" },
      gemini: { cachedContent: "cachedContents/7" }
    }
  }
]
