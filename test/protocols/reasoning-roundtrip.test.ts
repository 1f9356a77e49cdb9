import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import type { Notice } from "../../src/domain/Call.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { Delivery, LlmRequest, Part } from "../../src/domain/LlmRequest.ts"
import { foldEvents, type ResponsePart } from "../../src/domain/LlmResponse.ts"
import type { RenderContext } from "../../src/protocols/Dialect.ts"
import type { Protocol } from "../../src/protocols/Protocol.ts"
import type { Proof } from "../../src/protocols/SealedReasoning.ts"
import type { WireFrame } from "../../src/wire/Frame.ts"
import { makeSseDecoder } from "../../src/wire/Sse.ts"
import { callers, signers, type Body, type Caller, type Json, type Signer, type Thoughts } from "./reasoning-parties.ts"

const contextOf = (request: LlmRequest): RenderContext => ({ id: "made_here", created: 1, request, origin: undefined })
const asked: LlmRequest = { model: "smart", messages: [], sampling: {} }

interface Rendered {
  readonly turn: Json
  readonly text: string
  readonly notices: ReadonlyArray<Notice>
}

const render = ({ dialect, streamed, whole }: Caller, events: ReadonlyArray<LlmEvent>, how: Delivery): Rendered => {
  if (how === "whole") {
    const notices: Array<Notice> = []
    const body = dialect.renderWhole(foldEvents(events), contextOf(asked), notices) as Body
    return { turn: whole(body), text: JSON.stringify(body), notices }
  }
  const renderer = dialect.renderer(contextOf(asked))
  const text = events.map((event) => renderer.event(event)).join("") + renderer.end()
  const frames: Array<WireFrame> = []
  const decoder = makeSseDecoder()
  decoder.feed(Buffer.from(text), frames)
  decoder.end(frames)
  return { turn: streamed(frames), text, notices: renderer.notices }
}

/** What is proven, by whom: all of it in order, whatever block the thoughts themselves stand in. */
const proofsOf = (parts: ReadonlyArray<Part | ResponsePart>): ReadonlyArray<Proof> =>
  parts.flatMap((part) => {
    if (part._tag !== "Reasoning") return []
    const { signature, redacted, origin } = part
    return (signature ?? redacted) === undefined
      ? []
      : [JSON.parse(JSON.stringify({ signature, redacted, origin })) as Proof]
  })

const thoughtsIn = (parts: ReadonlyArray<Part>): string =>
  parts.map((part) => (part._tag === "Reasoning" ? part.text : "")).join("")

const partsOf = ({ messages }: LlmRequest): ReadonlyArray<Part> => messages.flatMap(({ parts }) => parts)

const eventsFrom = ({ protocol, answer }: Signer, thoughts: Thoughts): ReadonlyArray<LlmEvent> => {
  const events: Array<LlmEvent> = []
  expect(protocol.decodeWhole(answer(thoughts), events)).toBeUndefined()
  return events
}

const pieces = ["a", "Zz9", "+/=", "_-", ".", '"', "\\", "\n", " ", "é", "漢", "👋🏽", "\u0000", "\u2028"]
const Noise = Arbitrary.map(Arbitrary.array(Arbitrary.schema(Schema.Literals(pieces)), { maxLength: 8 }), (chosen) =>
  chosen.join("")
)
/** Proofs are opaque: any text has to come through. What they begin with is nowhere else, so that they can be looked for. */
const AnyThoughts = Arbitrary.map(
  Arbitrary.all({ text: Noise, signature: Noise, redacted: Noise }),
  ({ text, signature, redacted }): Thoughts => ({
    text: `thought ${text}`,
    signature: `SIGNED${signature}`,
    redacted: `REDACTED${redacted}`
  })
)

/** All strings of a document. */
const stringsIn = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(stringsIn)
      : []

/** Whatever looks like a proof in a document, also a sealed one, be it text or bytes. */
const shown = (document: unknown): ReadonlyArray<string> =>
  stringsIn(document).filter((text) => /^(SIGNED|REDACTED|millrace-|bWlsbHJhY2Ut)/.test(text))

const said = (notices: ReadonlyArray<Notice>): boolean =>
  notices.some(({ code, message }) => code === "dropped" && message.includes("reasoning"))

const cases = callers.flatMap((caller) =>
  signers.flatMap((signer) =>
    (["stream", "whole"] as const).map(
      (how) => [signer.protocol.id, caller.dialect.id, how, { caller, signer, how }] as const
    )
  )
)

describe("reasoning that a provider signed, after a turn through a caller", () => {
  describe.each(cases)("%s by %s (%s)", (_signer, _dialect, how, { caller, signer }) => {
    const turnOf = (thoughts: Thoughts) => {
      const events = eventsFrom(signer, thoughts)
      const { turn, notices } = render(caller, events, how)
      const body = caller.next(turn)
      const { request } = Result.getOrThrow(caller.dialect.decode(body))
      return { events, notices, body, request }
    }
    const origin = signer.protocol.id
    const proofs = ({ signature, redacted }: Thoughts): ReadonlyArray<string> =>
      signer.encrypts ? [signature, redacted] : [signature]

    it.prop("is what it was, and so is who signed it", [AnyThoughts], ([thoughts]) => {
      const { events, notices, request } = turnOf(thoughts)
      const parts = partsOf(request)
      expect(proofsOf(parts)).toEqual(proofsOf(foldEvents(events).choices[0]?.parts ?? []))
      expect(proofsOf(parts)).toEqual([
        { signature: thoughts.signature, origin },
        ...(signer.encrypts ? [{ redacted: thoughts.redacted, origin }] : [])
      ])
      expect(thoughtsIn(parts)).toBe(thoughts.text)
      expect(notices).toEqual([])
    })

    const context = { model: "target", delivery: how, quirks: {}, origin: undefined }

    const expectOnlyWith = (thoughts: Thoughts, target: Protocol): void => {
      const { body, notices } = Result.getOrThrow(target.encode(turnOf(thoughts).request, context))
      expect(shown(body)).toEqual(target.id === origin ? proofs(thoughts) : [])
      expect(said(notices)).toBe(target.id !== origin)
    }

    const expectOnlyWithAsReceived = (thoughts: Thoughts): void => {
      const { body: received, request } = turnOf(thoughts)
      const { id } = caller.dialect
      const from = { protocol: id, body: received, text: JSON.stringify(received), headers: {} }
      const { body, notices } = Result.getOrThrow(caller.protocol.encode(request, { ...context, origin: from }))
      expect(shown(body)).toEqual(id === origin ? proofs(thoughts) : [])
      expect(said(notices)).toBe(id !== origin)
    }

    it.prop("goes back to who signed it, and to nobody else", [AnyThoughts], ([thoughts]) => {
      for (const { protocol } of signers) expectOnlyWith(thoughts, protocol)
    })

    it.prop("stays away from others where the request goes on as received", [AnyThoughts], ([thoughts]) =>
      expectOnlyWithAsReceived(thoughts)
    )
  })
})
