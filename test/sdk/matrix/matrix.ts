import { assert } from "@effect/vitest"
import type { CallRecord } from "../../../src/audit/CallRecord.ts"
import type { FormatName } from "../../../src/providers/formats.ts"
import { everywhere, verdictOf, type AtFormat } from "../formats.ts"
import { pixel, rejection, wordsOf } from "../scenario.ts"
import { toolFields, Trip, type Client, type Conversation, type Heard, type Question } from "./Client.ts"

const prompt = "Say it back, please."

/** The faults of a stream, and what each is called. */
const breaks = [
  ["error=3&message=gone", "UpstreamServer"],
  ["reset=3", "Transport"],
  ["truncate=3", "IncompleteStream"],
  ["malformed=3", "InvalidOutput"]
] as const

/** The formats whose streams begin with the size of the input. */
const countingAtStart: ReadonlyArray<FormatName> = ["anthropic-messages", "bedrock-invoke-anthropic"]

const refusals = { 400: "InvalidRequest", 401: "Unauthorized", 429: "RateLimited", 500: "UpstreamServer" }

/** The status that an SDK's error tells; every one of them has it in one of two places. */
const statusOf = (error: unknown): unknown => {
  const { status, statusCode } = error as { readonly status?: unknown; readonly statusCode?: unknown }
  return status ?? statusCode
}

/** The proofs of what was thought in an answer, as its provider gave them. */
const proofIn = ({ response }: CallRecord): string =>
  (response?.answer?.choices[0]?.parts ?? [])
    .map((part) => (part._tag === "Reasoning" ? (part.signature ?? part.redacted ?? "") : ""))
    .join("")

const noticesOf = ({ notices }: CallRecord): ReadonlyArray<string> => notices.map(({ message }) => message)

/** Everything that users of an SDK do, tried with a provider of every format. */
export const matrix = ({ asking, converse, countsAtStart, endings, name, proves, reasons, signs }: Client): void =>
  everywhere(name, asking, {}, (scenario) => {
    const verdict = ({ upstream }: AtFormat, feature: string) => verdictOf(asking, upstream, feature)
    const begin = (at: AtFormat, model: string, question: Omit<Question, "model">): Conversation =>
      converse(at, { ...question, model: at.model(model) })
    /** Whether the provider's API has words for thoughts: without them it cannot be asked for any. */
    const thinks = ({ upstream }: AtFormat): boolean =>
      verdictOf("openai-chat", upstream, "reasoning: effort").fate !== "dropped"

    const assertUsage = (at: AtFormat, streamed: boolean, { usage: told }: Heard, { usage }: CallRecord) => {
      // Most providers count with the end of a stream; a count that is not known is not made up.
      const known = !streamed || countsAtStart !== true || countingAtStart.includes(at.upstream)
      const [input, output] = [known ? usage?.inputTokens : 0, usage?.outputTokens]
      assert.deepStrictEqual([...told, usage?.source], [input, output, "provider"])
    }

    /** Holds an answer against what docs/formats.md says of the feature that it needs; says whether there is one. */
    const expressed = async (at: AtFormat, feature: string, ask: () => Promise<Heard>): Promise<Heard | undefined> => {
      const { fate, messages } = verdict(at, feature)
      if (fate !== "refused") {
        const heard = await ask()
        assert.includeMembers([...noticesOf(await at.unanswered())], [...messages])
        return fate === "dropped" ? undefined : heard
      }
      const error = await rejection(ask())
      assert.strictEqual(statusOf(error), 400)
      for (const message of messages) assert.include(String(error), message)
      assert.lengthOf(at.received(), 0)
      return undefined
    }

    for (const streamed of [false, true]) {
      const way = streamed ? "streamed" : "whole"

      scenario(`an answer, ${way}`, async (at) => {
        const model = streamed ? "words-12?think=5&pace=0&one-byte" : "words-12?think=5"
        let said = ""
        const heard = await begin(at, model, { streamed }).ask(
          { text: prompt },
          { onText: (text) => void (said += text) }
        )
        assert.strictEqual(heard.text, wordsOf(12))
        assert.strictEqual(said, streamed ? wordsOf(12) : "")
        assert.strictEqual(heard.ending, endings.stop)
        if (reasons) assert.strictEqual(heard.reasoning, thinks(at) ? wordsOf(5) : "")
        const record = await at.unanswered()
        assert.deepInclude(record.outcome, { kind: "Completed", finish: "stop", delivered: true })
        assert.strictEqual(record.response?.text, wordsOf(12))
        assertUsage(at, streamed, heard, record)
      })

      scenario(`a loop of tools with reasoning, ${way}`, async (at) => {
        const { ask } = begin(at, "tools-2?think=3", { streamed, tools: true })
        const asked = await expressed(at, "calls and their results", () => ask({ text: prompt }))
        if (asked === undefined) return
        if (reasons) assert.strictEqual(asked.reasoning, wordsOf(3))
        assert.strictEqual(asked.ending, endings.tools)
        assert.deepStrictEqual(
          asked.calls.map(({ name, input }) => [name, Object.keys(input as object)]),
          toolFields.map(([name, field]) => [name, [field]])
        )
        const first = await at.unanswered()
        const outputs = ["rain", "noon"]
        const results = asked.calls.map((call, index) => ({ call, output: outputs[index] ?? "" }))
        const told = await ask({ results })
        // The simulated model tells the results that reached it, by the names of their tools.
        assert.strictEqual(told.text, "weather said: rain\nclock said: noon")
        assert.strictEqual(told.ending, endings.stop)
        assertUsage(at, streamed, told, await at.unanswered())
        if (!proves || verdict(at, "earlier reasoning, signed by the provider that is asked").fate !== "native") return
        const proof = proofIn(first)
        assert.isNotEmpty(proof)
        assert.include(JSON.stringify(at.received().at(-1)?.body), proof)
      })

      scenario(`a loop of tools whose calls are signed, ${way}`, async (at) => {
        if (at.upstream !== "gemini" && at.upstream !== "openai-chat") return
        // A model by whose name the signatures are known to be wanted: a lacking one is excused there.
        const model = `${at.upstream}/gemini-3-pro/tools-2?sign&think=2`
        const { ask } = converse(at, { model, streamed, tools: true })
        const { calls } = await ask({ text: prompt })
        const signature = Buffer.from(`simulated call weather ${calls[0]?.id}`).toString("base64")
        const answer = ask({ results: calls.map((call) => ({ call, output: "rain" })) })
        if (!signs && at.upstream === "openai-chat") {
          const error = await rejection(answer)
          assert.include(String(error), "lacks the signature")
          return
        }
        assert.strictEqual((await answer).text, "weather said: rain\nclock said: rain")
        const sent = JSON.stringify(at.received().at(-1)?.body)
        assert.include(sent, `"${signs ? signature : "skip_thought_signature_validator"}"`)
      })

      scenario(`structured output, ${way}`, async (at) => {
        const { ask } = begin(at, "json", { streamed, trip: true })
        const heard = await expressed(at, "structured output: a JSON schema", () => ask({ text: prompt }))
        if (heard === undefined) return
        const trip = Trip.parse(heard.trip ?? JSON.parse(heard.text))
        assert.deepStrictEqual(JSON.parse((await at.unanswered()).response?.text ?? ""), trip)
      })

      scenario(`a limit of tokens, ${way}`, async (at) => {
        const { ask } = begin(at, "words-30?pace=0", { streamed, limit: 17 })
        const { ending, text } = await ask({ text: prompt })
        assert.deepStrictEqual([text, ending], [wordsOf(17), endings.length])
      })

      scenario(`a provider's refusal is an error with its status and message, ${way}`, async (at) => {
        for (const [status, reason] of Object.entries(refusals)) {
          const { ask } = begin(at, `echo?status=${status}&message=No%20way`, { streamed })
          const error = await rejection(ask({ text: prompt }))
          assert.strictEqual(statusOf(error), Number(status), String(error))
          assert.include(String(error), "No way")
          assert.deepInclude((await at.unanswered()).outcome, { kind: "Failed", reason, status: Number(status) })
        }
      })
    }

    scenario("a picture goes to the provider", async (at) => {
      const { ask } = begin(at, "echo", { streamed: false })
      const heard = await expressed(at, "images, as data", () => ask({ text: "What is this?", picture: pixel }))
      if (heard === undefined) return
      assert.strictEqual(heard.text, "What is this?(image)")
      assert.include(JSON.stringify(at.received().at(-1)?.body), pixel.slice(pixel.indexOf(",") + 1))
    })

    scenario("a stream that breaks is an error, whatever broke it", async (at) => {
      for (const [fault, reason] of breaks) {
        let said = ""
        const { ask } = begin(at, `words-20?pace=0&${fault}`, { streamed: true })
        const error = await rejection(ask({ text: prompt }, { onText: (text) => void (said += text) }))
        assert.instanceOf(error, Error, fault)
        assert.strictEqual(said, wordsOf(3))
        const record = await at.unanswered()
        assert.deepInclude(record.outcome, { kind: "Failed", reason })
        assert.strictEqual(record.response?.text, said)
      }
    })

    scenario("to abort a stream aborts the provider's", async (at) => {
      const controller = new AbortController()
      let said = ""
      const onText = (text: string) => {
        said += text
        if (said.split(" ").length > 3) controller.abort()
      }
      const { ask } = begin(at, "words-500", { streamed: true })
      // Some SDKs throw, to others it is the end of the stream.
      await ask({ text: prompt }, { signal: controller.signal, onText }).catch(() => undefined)
      assert.strictEqual(await at.ending(), "aborted")
      const record = await at.unanswered()
      assert.deepInclude(record.outcome, { kind: "Cancelled", by: "client" })
      assert.isTrue(record.response?.text?.startsWith(said), record.response?.text)
    })

    scenario("to abort before the first token aborts the provider's request", async (at) => {
      const controller = new AbortController()
      const { ask } = begin(at, "echo?hang", { streamed: false })
      const answer = rejection(ask({ text: prompt }, { signal: controller.signal }))
      await at.until(() => at.received().some(({ state }) => state === "open"))
      controller.abort()
      assert.instanceOf(await answer, Error)
      assert.strictEqual(await at.ending(), "aborted")
      assert.deepInclude((await at.unanswered()).outcome, { kind: "Cancelled", by: "client" })
    })
  })
