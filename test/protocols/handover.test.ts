import { describe, expect, it } from "@effect/vitest"
import { Result } from "effect"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { foldEvents, type LlmResponse } from "../../src/domain/LlmResponse.ts"
import { anthropicMessagesDialect } from "../../src/protocols/anthropic-messages/inbound.ts"
import { formatNames, formats, type FormatName } from "../../src/providers/formats.ts"
import { agents, type Agent } from "./agents.ts"
import { requestFaults } from "./constraints/constraints.ts"
import { corpusCases, corpusPresent, decodeStream, decodeWhole } from "./corpus.ts"

/** The models that the conversations come to: what they take of others depends on the model in places. */
const models: { readonly [name in FormatName]: ReadonlyArray<string> } = {
  "openai-chat": ["gpt-5.5"],
  "openai-responses": ["gpt-5.5"],
  "anthropic-messages": ["claude-sonnet-4-5", "claude-opus-4-8"],
  gemini: ["gemini-2.5-pro", "gemini-3-pro"],
  "gemini-interactions": ["gemini-3-pro"],
  // It knows no calls.
  "openai-completions": [],
  "cohere-v2": ["command-a-03-2025"],
  ollama: ["qwen3"],
  "bedrock-converse": ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-pro-v1:0", "us.openai.gpt-6-sol"],
  "bedrock-invoke-anthropic": ["us.anthropic.claude-sonnet-4-5-20250929-v1:0"]
}

interface Sent {
  readonly to: FormatName
  readonly model: string
  readonly body: string
  readonly faults: ReadonlyArray<string>
}

/**
 * What every provider is sent when the conversation comes to it: as it is understood and, in its own format, as it was
 * written.
 */
const sentBy = (agent: Agent): ReadonlyArray<Sent> => {
  const { body, request } = agent.asks()
  const written = { protocol: agent.id, body, text: JSON.stringify(body), headers: {} }
  return formatNames.flatMap((to) =>
    models[to].flatMap((model) =>
      (agent.id === to ? [undefined, written] : [undefined]).map((origin) => {
        const context = { model, delivery: "whole", quirks: {}, origin } as const
        const { body } = Result.getOrThrow(formats[to].protocol.encode(request, context))
        return { to, model, body: JSON.stringify(body), faults: requestFaults(to, model, body) }
      })
    )
  )
}

/** What would be refused, by whom. */
const faultsIn = (sent: ReadonlyArray<Sent>): ReadonlyArray<string> =>
  sent.flatMap(({ to, model, faults }) => faults.map((fault) => `${to} (${model}): ${fault}`))

interface Answer {
  readonly from: FormatName
  readonly body: object
  /** what proves the reasoning in it, for the provider that gave it and nobody else */
  readonly proof?: string
}

const ended = { usage: { input_tokens: 1, output_tokens: 1 }, stop_sequence: null }
const claudeSays = (content: ReadonlyArray<object>, stop_reason: string) => ({
  id: "msg_01",
  type: "message",
  role: "assistant",
  model: "claude",
  content,
  stop_reason,
  ...ended
})
const responsesSays = (output: ReadonlyArray<object>) => ({
  id: "resp_01",
  object: "response",
  status: "completed",
  model: "gpt",
  output
})
const geminiSays = (parts: ReadonlyArray<object>) => ({
  responseId: "g1",
  modelVersion: "gemini",
  candidates: [{ content: { role: "model", parts }, finishReason: "STOP", index: 0 }]
})
const chatSays = (message: object, finish_reason: string) => ({
  id: "chatcmpl_1",
  object: "chat.completion",
  created: 1,
  model: "served",
  choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }]
})
const chatCall = (id: string) => ({ id, type: "function", function: { name: "look", arguments: '{"at":1}' } })

/** What providers answer that others would not take back as it is. */
const answers: { readonly [what: string]: Answer } = {
  "signed thoughts and a call by Claude": {
    from: "anthropic-messages",
    proof: "U2lnbmVkQnlDbGF1ZGU=",
    body: claudeSays(
      [
        { type: "thinking", thinking: "Look.", signature: "U2lnbmVkQnlDbGF1ZGU=" },
        { type: "text", text: "I look." },
        { type: "tool_use", id: "toolu_01A", name: "look", input: { at: 1 } }
      ],
      "tool_use"
    )
  },
  "a search by Claude": {
    from: "anthropic-messages",
    body: claudeSays(
      [
        { type: "server_tool_use", id: "srvtoolu_01B", name: "web_search", input: { query: "q" } },
        {
          type: "web_search_tool_result",
          tool_use_id: "srvtoolu_01B",
          content: [{ type: "web_search_result", url: "https://e.example", title: "E", encrypted_content: "RW5j" }]
        },
        { type: "text", text: "Found." }
      ],
      "end_turn"
    )
  },
  "a compaction by Claude": {
    from: "anthropic-messages",
    body: claudeSays(
      [
        { type: "compaction", content: "So far: 42." },
        { type: "text", text: "Yes." }
      ],
      "end_turn"
    )
  },
  "nothing by Claude": { from: "anthropic-messages", body: claudeSays([], "end_turn") },
  "encrypted thoughts and two calls by a model of OpenAI": {
    from: "openai-responses",
    proof: "Z0FBQUFBQm9lbmNyeXB0ZWQ=",
    body: responsesSays([
      { type: "reasoning", id: "rs_01", summary: [], encrypted_content: "Z0FBQUFBQm9lbmNyeXB0ZWQ=" },
      { type: "function_call", id: "fc_01", call_id: "call_01", name: "look", arguments: "{}", status: "completed" },
      { type: "function_call", id: "fc_02", call_id: "call_02", name: "look", arguments: "{}", status: "completed" }
    ])
  },
  "a search for tools and a shell that OpenAI runs": {
    from: "openai-responses",
    body: responsesSays([
      {
        type: "tool_search_call",
        id: "tsc_01",
        call_id: null,
        execution: "server",
        arguments: {},
        status: "completed"
      },
      { type: "tool_search_output", id: "tso_01", call_id: null, execution: "server", tools: [], status: "completed" },
      { type: "shell_call", id: "sh_01", call_id: "call_sh_0", action: { commands: ["ls"] }, status: "completed" },
      { type: "shell_call_output", id: "sho_01", call_id: "call_sh_0", output: [], status: "completed" },
      {
        type: "message",
        id: "msg_02",
        role: "assistant",
        content: [{ type: "output_text", text: "Done.", annotations: [] }]
      }
    ])
  },
  "calls of OpenAI's own tools that run at the client": {
    from: "openai-responses",
    body: responsesSays([
      { type: "shell_call", id: "sh_02", call_id: "call_sh_02", action: { commands: ["ls"] }, status: "completed" },
      { type: "local_shell_call", id: "lsh_02", call_id: "call_ls", action: { type: "exec", command: ["ls"] } },
      { type: "apply_patch_call", id: "apc_02", call_id: "call_ap", operation: { type: "delete_file", path: "a" } }
    ])
  },
  "signed calls by Gemini": {
    from: "gemini",
    proof: "U2lnbmVkQnlHZW1pbmk=",
    body: geminiSays([
      { text: "Look twice.", thought: true },
      { functionCall: { name: "look", args: { at: 1 } }, thoughtSignature: "U2lnbmVkQnlHZW1pbmk=" },
      { functionCall: { name: "look", args: { at: 2 } } }
    ])
  },
  "thoughts by Gemini that nobody signed": {
    from: "gemini",
    body: geminiSays([{ text: "Look.", thought: true }, { text: "Seen." }])
  },
  "thoughts on Converse that nobody signed": {
    from: "bedrock-converse",
    body: {
      output: {
        message: {
          role: "assistant",
          content: [{ reasoningContent: { reasoningText: { text: "Hm" } } }, { text: "Yes." }]
        }
      },
      stopReason: "end_turn",
      usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 }
    }
  },
  "thoughts by a server of the Messages API that signs none": {
    from: "anthropic-messages",
    body: claudeSays(
      [
        { type: "thinking", thinking: "Hm", signature: "" },
        { type: "text", text: "Yes." }
      ],
      "end_turn"
    )
  },
  "calls of other servers, between blanks": {
    from: "openai-chat",
    body: chatSays(
      {
        content: " ",
        tool_calls: [chatCall("functions.look:0"), chatCall("chatcmpl-tool-0123456789abcdef0123456789abcdef")]
      },
      "tool_calls"
    )
  },
  "a call by a server that puts a proof into its id": {
    from: "openai-chat",
    body: chatSays({ content: null, tool_calls: [chatCall(`call_1__thought__${"x".repeat(300)}`)] }, "tool_calls")
  },
  "thoughts and a call by DeepSeek": {
    from: "openai-chat",
    body: chatSays({ content: "", reasoning_content: "Look.", tool_calls: [chatCall("call_00_a")] }, "tool_calls")
  }
}

/** An answer for the nth time: items have ids of their own, calls of the client need not. */
const answerOf = ({ from, body }: Answer, nth = 0): LlmResponse => {
  const again: unknown = JSON.parse(
    JSON.stringify(body).replaceAll(/"(rs|fc|msg|tsc|tso|sh|lsh|apc|sho|call_sh)_0/g, `"$1_${nth}`)
  )
  const events: Array<LlmEvent> = []
  expect(formats[from].protocol.decodeWhole(again, events)).toBeUndefined()
  return foldEvents(events)
}

describe("a conversation that comes from one provider to another", () => {
  const named = Object.entries(answers)

  it.each(named)("after %s", (_, answer) => {
    for (const agent of agents()) {
      agent.hear(answerOf(answer))
      const sent = sentBy(agent)
      expect(faultsIn(sent), agent.id).toEqual([])
      for (const { body } of sent) expect(body).not.toMatch(/millrace-|bWlsbHJhY2Ut/)
    }
  })

  it.each(named)("and back, after %s", (_, answer) => {
    for (const [, other] of named) {
      for (const agent of agents()) {
        for (const [nth, heard] of [answer, other, answer].entries()) agent.hear(answerOf(heard, nth))
        expect(faultsIn(sentBy(agent)), agent.id).toEqual([])
      }
    }
  })

  it.each(named.filter(([, { proof }]) => proof !== undefined))(
    "that gave %s",
    (_, { from, proof = "", ...answer }) => {
      for (const agent of agents()) {
        agent.hear(answerOf({ from, ...answer }))
        for (const { to, body } of sentBy(agent)) {
          const claude =
            from === "anthropic-messages" && (to === "bedrock-converse" || to === "bedrock-invoke-anthropic")
          if (to === from) expect(body.split(proof)).toHaveLength(2)
          else if (!claude) expect(body).not.toContain(proof)
        }
      }
    }
  )
})

describe("what Claude's API said in short of a conversation", () => {
  const compaction = { type: "compaction", content: "So far: 42.", encrypted_content: "RW5j" }
  const messages = [
    { role: "assistant", content: [compaction] },
    { role: "user", content: "Go on." }
  ]
  const { request } = Result.getOrThrow(anthropicMessagesDialect.decode({ model: "m", max_tokens: 9, messages }))
  const sentTo = (format: FormatName, model: string, asked = request) =>
    Result.getOrThrow(
      formats[format].protocol.encode(asked, { model, delivery: "whole", quirks: {}, origin: undefined })
    ).body

  it("is told to every other provider, as whoever told it need not send more", () => {
    for (const format of formatNames) {
      for (const model of models[format]) expect(JSON.stringify(sentTo(format, model))).toContain("So far: 42.")
    }
  })

  it("is what it was to Claude, but for what a filter changed", () => {
    expect(sentTo("anthropic-messages", "claude-opus-4-8")["messages"]).toMatchObject([{ content: [compaction] }, {}])
    const hidden = request.messages.map((message) => ({
      ...message,
      parts: message.parts.map((part) =>
        part._tag === "Text" ? { ...part, text: part.text.replace("42", "*") } : part
      )
    }))
    const sent = JSON.stringify(sentTo("anthropic-messages", "claude-opus-4-8", { ...request, messages: hidden }))
    expect(sent).toContain('"content":"So far: *."')
  })
})

describe.skipIf(!corpusPresent)("recorded answers, in a conversation that goes on elsewhere", () => {
  for (const from of formatNames) {
    const { protocol } = formats[from]
    const recordings = corpusCases(from === "anthropic-messages" ? "anthropic" : from)
    it(`are taken of ${from}`, () => {
      for (const { body, name, status, stream } of recordings) {
        if (status !== 200) continue
        const { events, error } = stream ? decodeStream(protocol, [body]) : decodeWhole(protocol, body)
        if (error !== undefined) continue
        for (const agent of agents()) {
          agent.hear(foldEvents(events))
          expect(faultsIn(sentBy(agent)), name).toEqual([])
        }
      }
    })
  }
})
