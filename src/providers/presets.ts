import { vertexBetas } from "../protocols/claude/betas.ts"
import type { Quirks } from "../protocols/Protocol.ts"
import type { Capabilities } from "../routing/Capabilities.ts"
import type { Cloud, FormatName } from "./formats.ts"
import type { PeculiarModels } from "./peculiar.ts"
import { present } from "../domain/present.ts"

/** What is known of a vendor: enough to call it with a key alone. */
export interface Preset {
  /** what it speaks: a call takes its own dialect where it is listed, else the first */
  readonly protocols: readonly [FormatName, ...ReadonlyArray<FormatName>]
  /** empty where everyone has an address of their own */
  readonly baseUrl: string
  /** the environment variable in which its users keep their key; absent where no key is needed */
  readonly keyVariable?: string
  /** the environment variable by which its own SDK is pointed elsewhere */
  readonly baseUrlVariable?: string
  readonly quirks: Quirks
  /** what is peculiar to some of its models besides, by how they are named */
  readonly peculiar?: PeculiarModels
  /** what holds for all of its models */
  readonly capabilities?: Capabilities
  /** how the names of its own models begin, where nobody else's do */
  readonly models?: RegExp
  /** whose paths and credentials it is called with */
  readonly cloud?: Cloud
  /** the formats that it can be set to instead of `protocols`: they are for other models */
  readonly others?: ReadonlyArray<FormatName>
}

/** A server that speaks Chat Completions. What its vendor never took over from the original is in `quirks`. */
const compatible = (
  baseUrl: string,
  keyVariable: string | undefined,
  quirks: Quirks,
  more: Pick<Preset, "capabilities" | "baseUrlVariable" | "peculiar"> = {}
): Preset => ({
  protocols: ["openai-chat"],
  baseUrl,
  ...present({ keyVariable }),
  quirks,
  ...more
})

/** `system` is understood everywhere, `developer` is not: who does not promise it gets `system`. */
const system: Quirks = { noDeveloperRole: true, noAllowedTools: true }

/** Knows `max_tokens`, the name of the limit before reasoning models. */
const maxTokens: Quirks = { ...system, legacyMaxTokens: true }

/** Its models think, and want to be told again what they thought. */
const thinking: Quirks = { ...maxTokens, wantsReasoning: true, noForcedCalls: true }

/** Usage comes with every stream without being asked for. */
const unasked: Quirks = { ...maxTokens, noStreamOptions: true }

/** Refuses whatever it does not know, and knows its own words alone. */
const mistral: Quirks = {
  ...unasked,
  thinkingParts: true,
  noUserAfterTools: true,
  shortCallIds: true,
  randomSeed: true,
  noLogprobs: true,
  noNames: true,
  noUser: true
}

/**
 * The vendors that are known by name. One whose key is in the environment is a provider without further configuration;
 * in a document it is `preset: <name>`.
 */
export const presets = {
  openai: {
    protocols: ["openai-chat", "openai-responses"],
    baseUrl: "https://api.openai.com/v1",
    keyVariable: "OPENAI_API_KEY",
    baseUrlVariable: "OPENAI_BASE_URL",
    models: /^(gpt-|chatgpt-|o\d|text-embedding-)/,
    quirks: {}
  },
  anthropic: {
    protocols: ["anthropic-messages"],
    baseUrl: "https://api.anthropic.com",
    keyVariable: "ANTHROPIC_API_KEY",
    baseUrlVariable: "ANTHROPIC_BASE_URL",
    models: /^claude-/,
    quirks: {}
  },
  gemini: {
    protocols: ["gemini"],
    baseUrl: "https://generativelanguage.googleapis.com",
    keyVariable: "GEMINI_API_KEY",
    baseUrlVariable: "GOOGLE_GEMINI_BASE_URL",
    models: /^gemini-/,
    quirks: {}
  },
  azure: {
    protocols: ["openai-chat", "openai-responses"],
    others: ["openai-completions"],
    baseUrl: "",
    keyVariable: "AZURE_OPENAI_API_KEY",
    baseUrlVariable: "AZURE_OPENAI_ENDPOINT",
    quirks: {},
    cloud: "azure"
  },
  vertex: {
    protocols: ["gemini"],
    others: ["anthropic-messages"],
    baseUrl: "",
    baseUrlVariable: "GOOGLE_VERTEX_BASE_URL",
    quirks: { betas: vertexBetas, predicts: true },
    cloud: "vertex"
  },
  cohere: {
    protocols: ["cohere-v2"],
    baseUrl: "https://api.cohere.com",
    keyVariable: "CO_API_KEY",
    models: /^(command-|embed-v)/,
    quirks: {}
  },
  groq: compatible(
    "https://api.groq.com/openai/v1",
    "GROQ_API_KEY",
    { ...system, noReasoningContent: true, noLogprobs: true, noNames: true },
    {
      peculiar: [
        [/^qwen\/qwen3/, { effortSwitch: true }],
        [/^(llama|meta-llama\/|moonshotai\/|gemma)/, { noReasoningEffort: true }]
      ]
    }
  ),
  mistral: compatible("https://api.mistral.ai/v1", "MISTRAL_API_KEY", mistral),
  deepseek: compatible("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", {
    ...thinking,
    thinkingSwitch: true,
    noJsonSchema: true
  }),
  xai: compatible(
    "https://api.x.ai/v1",
    "XAI_API_KEY",
    { ...system, noPenalties: true, wantsContent: true },
    {
      peculiar: [
        [/^grok-(3-mini|[4-9]|code|latest)(?!.*non-reasoning)/, { noStop: true }],
        // Older ones think as much as they think, or not at all.
        [/^grok-(2|3(?!-mini)|4(?!\.\d)|4\.(1|20)(?!\d|-multi)|code)/, { noReasoningEffort: true }]
      ]
    }
  ),
  openrouter: compatible("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", maxTokens),
  together: compatible("https://api.together.ai/v1", "TOGETHER_API_KEY", maxTokens),
  fireworks: compatible("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", {
    ...maxTokens,
    longStreams: true
  }),
  perplexity: compatible(
    "https://api.perplexity.ai",
    "PERPLEXITY_API_KEY",
    { ...unasked, alternatingTurns: true },
    {
      capabilities: { features: ["images", "files", "json", "reasoning"] }
    }
  ),
  cerebras: compatible("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", { ...system, noReasoningContent: true }),
  sambanova: compatible("https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY", maxTokens),
  nvidia: compatible("https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY", maxTokens),
  deepinfra: compatible("https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY", maxTokens),
  huggingface: compatible("https://router.huggingface.co/v1", "HF_TOKEN", maxTokens),
  // Some of its models refuse to be told not to think: none is.
  moonshot: compatible("https://api.moonshot.ai/v1", "MOONSHOT_API_KEY", thinking, {
    peculiar: [[/^kimi-k(2\.\d|[3-9])/, { fixedSampling: true, noPenalties: true }]]
  }),
  alibaba: compatible("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY", maxTokens, {
    peculiar: [
      // They think unless they are told not to.
      [/^qwen(3\.[5-9]|[4-9])/, { noForcedCalls: true }],
      [/^(qwen3-\d|qwq|qvq|.*-(omni|thinking))/, { onlyStreams: true }]
    ]
  }),
  zai: compatible("https://api.z.ai/api/paas/v4", "ZAI_API_KEY", {
    ...maxTokens,
    thinkingSwitch: true,
    noJsonSchema: true,
    onlyAutoCalls: true
  }),
  venice: compatible("https://api.venice.ai/api/v1", "VENICE_API_KEY", maxTokens),
  copilot: compatible("https://api.githubcopilot.com", "COPILOT_GITHUB_TOKEN", maxTokens),
  litellm: compatible("http://127.0.0.1:4000/v1", "LITELLM_PROXY_API_KEY", system, {
    baseUrlVariable: "LITELLM_PROXY_API_BASE"
  }),
  ollama: compatible("http://127.0.0.1:11434/v1", undefined, maxTokens),
  lmstudio: compatible("http://127.0.0.1:1234/v1", undefined, { ...maxTokens, noJsonObject: true, noNamedCalls: true }),
  llamacpp: compatible("http://127.0.0.1:8080/v1", undefined, { ...maxTokens, noNamedCalls: true }),
  vllm: compatible("http://127.0.0.1:8000/v1", undefined, maxTokens)
} satisfies { readonly [name: string]: Preset }

export type PresetName = keyof typeof presets

/** Whose address and formats are meant where nothing is said. */
export const usualPreset: PresetName = "openai"

export const presetNames = Object.keys(presets) as ReadonlyArray<PresetName> // the keys of a literal are known

/** The vendor whose models are named like this, where it is one. */
export const vendorOf = (model: string): PresetName | undefined =>
  presetNames.find((name) => {
    const { models }: Preset = presets[name]
    return models?.test(model)
  })
