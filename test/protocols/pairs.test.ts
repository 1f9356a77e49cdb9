import { describe, expect, it } from "@effect/vitest"
import type { Notice } from "../../src/domain/Call.ts"
import type { LlmError } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { Delivery } from "../../src/domain/LlmRequest.ts"
import { foldEvents } from "../../src/domain/LlmResponse.ts"
import { formats, type FormatName } from "../../src/providers/formats.ts"
import { wellFormedEvents } from "./arbitrary.ts"
import {
  corpusCases,
  corpusPresent,
  decodeStream,
  decodeWhole,
  type CorpusCase,
  type Decoded,
  type Document
} from "./corpus.ts"
import { grammarFaults } from "./grammar.ts"
import { comparable, differencesOf, gistOf, inWordsOf, untilFailure, usedDifferences } from "./pairs-gist.ts"
import { speakers, type Speaker } from "./speakers.ts"

/** The recordings of a format; one has another name there. */
const recordingsOf = (name: FormatName): ReadonlyArray<CorpusCase> =>
  corpusCases(name === "anthropic-messages" ? "anthropic" : name)

const names = Object.keys(formats) as ReadonlyArray<FormatName>

/** What a caller of a dialect is sent. */
interface Sent {
  readonly body: string
  readonly notices: ReadonlyArray<Notice>
}

const streamed = ({ dialect, context }: Speaker, events: ReadonlyArray<LlmEvent>, error?: LlmError): Sent => {
  const renderer = dialect.renderer(context)
  const told = events.map((event) => renderer.event(event)).join("")
  const body = told + (error === undefined ? renderer.end() : renderer.failure(error))
  return { body, notices: renderer.notices }
}

const whole = ({ dialect, context }: Speaker, events: ReadonlyArray<LlmEvent>): Sent => {
  const notices: Array<Notice> = []
  const body = JSON.stringify(dialect.renderWhole(foldEvents(events), context, notices))
  return { body, notices }
}

const decodeIn = ({ protocol }: Speaker, delivery: Delivery, { body }: Sent): Decoded =>
  delivery === "stream" ? decodeStream(protocol, [Buffer.from(body)]) : decodeWhole(protocol, Buffer.from(body))

/** Holds what a caller is sent against what was said, in the words that the dialect has; says which of them differ. */
const expectSame = (speaker: Speaker, delivery: Delivery, events: ReadonlyArray<LlmEvent>): ReadonlyArray<string> => {
  const sent = delivery === "stream" ? streamed(speaker, events) : whole(speaker, events)
  const again = decodeIn(speaker, delivery, sent)
  expect(again.error).toBeUndefined()
  expect(grammarFaults(again.events)).toEqual([])
  if (delivery === "stream") expect(speaker.streamFaults(sent.body)).toEqual([])
  const said = gistOf(events)
  const used = usedDifferences(said, speaker.name, delivery)
  expect(comparable(gistOf(again.events))).toEqual(comparable(inWordsOf(said, speaker.name, delivery)))
  const messages = sent.notices.map(({ message }) => message).join("\n")
  for (const { notice } of used) if (notice !== undefined) expect(messages).toContain(notice)
  return used.map(({ why }) => why)
}

const errorOf = (document: unknown): Document => (document as { readonly error: Document }).error

describe.skipIf(!corpusPresent)("recorded answers", () => {
  const used = new Set<string>()
  let seen = 0

  for (const name of names) {
    const { protocol } = formats[name]
    describe(name, () => {
      for (const recording of recordingsOf(name).filter(({ status }) => status === 200)) {
        it(`${recording.name} says the same in every dialect`, () => {
          seen++
          const { body, stream } = recording
          const { events, error } = stream ? decodeStream(protocol, [body]) : decodeWhole(protocol, body)
          for (const speaker of speakers) {
            if (error === undefined) {
              for (const delivery of ["stream", "whole"] as const) {
                for (const why of expectSame(speaker, delivery, events)) used.add(why)
              }
              continue
            }
            const again = decodeIn(speaker, "stream", streamed(speaker, events, error))
            expect(again.error?.message).toBe(error.message)
            expect([error.reason._tag, ...speaker.reasonsSaidFor(error.reason)]).toContain(again.error?.reason._tag)
            expect(untilFailure(gistOf(again.events))).toEqual(
              untilFailure(inWordsOf(gistOf(events), speaker.name, "stream"))
            )
          }
        })
      }

      for (const { name: called, status, body } of recordingsOf(name).filter(({ status }) => status !== 200)) {
        it(`${called} is the same error in every dialect`, () => {
          seen++
          const error = protocol.decodeError({ status, headers: {}, body: body.toString("utf8") })
          for (const speaker of speakers) {
            const answer = speaker.dialect.renderError(error, "req_1")
            expect(answer.status).toBe(status)
            expect(errorOf(answer.body)["message"]).toBe(error.message)
            const again = speaker.protocol.decodeError({ ...answer, body: JSON.stringify(answer.body) })
            // Headers tell whole seconds.
            const wait = error.retryAfterMs === undefined ? undefined : Math.ceil(error.retryAfterMs / 1000) * 1000
            expect(again).toMatchObject({ message: error.message })
            expect(again.retryAfterMs).toBe(wait)
            expect([error.reason._tag, ...speaker.reasonsSaidFor(error.reason)]).toContain(again.reason._tag)
          }
        })
      }
    })
  }

  it("were all there, and no difference is allowed that none of them needs", () => {
    expect(seen).toBe(512)
    const allowed = speakers.flatMap(({ name }) => differencesOf(name).map(({ why }) => why))
    expect([...used].toSorted()).toEqual([...new Set(allowed)].toSorted())
  })
})

describe("generated answers", () => {
  const kinds = ["text", "refusal", "reasoning", "signed", "redacted", "tool", "source"] as const
  const Events = wellFormedEvents({ kinds, choices: true, origin: "elsewhere" })

  describe.each(speakers.map((speaker) => [speaker.name, speaker] as const))("%s", (_name, speaker) => {
    it.prop("say the same as a stream", [Events], ([events]) => void expectSame(speaker, "stream", events))
    it.prop("say the same whole", [Events], ([events]) => void expectSame(speaker, "whole", events))
  })
})
