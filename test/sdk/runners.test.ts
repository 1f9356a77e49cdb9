import { assert } from "@effect/vitest"
import { type CallableTool, GoogleGenAI, type Part } from "@google/genai"
import OpenAI from "openai"
import { ResponsesToolRunner, type ResponsesRunnerTools } from "openai/helpers/responses-tool-runner"
import { everywhere } from "./formats.ts"

const parameters = { type: "object", properties: { town: { type: "string" } }, required: ["town"] }

/** What the runners of the SDKs are given to run, and what they were called with. */
const weather = () => {
  const asked: Array<unknown> = []
  return { asked, run: (args: unknown) => (asked.push(args), "rain") }
}

// The runner holds every item of an answer against what the API says it has, before it runs anything.
everywhere("openai: the runner of tools of the Responses API", "openai-responses", {}, (_, where) => {
  for (const stream of [false, true]) {
    where("calls and their results")(`goes from call to call, stream: ${stream}`, async (at) => {
      const client = new OpenAI({ baseURL: `${at.url}/v1`, apiKey: "unused", maxRetries: 0 })
      const { asked, run } = weather()
      const functions: ResponsesRunnerTools["functions"] = [
        {
          tool: { type: "function", name: "weather", description: "Tells it", parameters, strict: false },
          execute: run
        }
      ]
      const { output_text, status } = await new ResponsesToolRunner({ functions }).run(
        client,
        {
          model: at.model("tools-1?think=3"),
          input: [{ role: "user", content: "Say it back, please." }],
          store: false,
          include: ["reasoning.encrypted_content"]
        },
        { stream }
      )
      assert.strictEqual(status, "completed")
      assert.lengthOf(asked, 1)
      assert.match(output_text, /said: rain$/)
      assert.lengthOf(at.received(), 2)
    })
  }
})

everywhere("@google/genai: functions that it calls by itself", "gemini", {}, (_, where) => {
  for (const streamed of [false, true]) {
    where("calls and their results")(`go from call to call, streamed: ${streamed}`, async (at) => {
      const { chats } = new GoogleGenAI({ apiKey: "unused", httpOptions: { baseUrl: at.url } })
      const { asked, run } = weather()
      const tool: CallableTool = {
        tool: async () => ({ functionDeclarations: [{ name: "weather", parametersJsonSchema: parameters }] }),
        callTool: async (calls) =>
          calls.map(({ args, id = "", name = "" }): Part => ({
            functionResponse: { id, name, response: { output: run(args) } }
          }))
      }
      const model = at.model("tools-1?think=3").replaceAll(/[?&]/g, ";")
      const chat = chats.create({ model, config: { tools: [tool] } })
      const ask = async (message: string): Promise<string> => {
        if (!streamed) return (await chat.sendMessage({ message })).text ?? ""
        let text = ""
        for await (const chunk of await chat.sendMessageStream({ message })) text += chunk.text ?? ""
        return text
      }
      assert.match(await ask("Look."), /said: .*rain/)
      assert.lengthOf(asked, 1)
      await ask("And now?")
      const last = JSON.stringify(at.received().at(-1)?.body)
      for (const said of ["Look.", "rain", "And now?"]) assert.include(last, said)
    })
  }
})
