import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema, Stream } from "effect"
import { frameOf, type Frame } from "../../src/domain/Frame.ts"
import { failure } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { EventStream } from "../../src/filters/Filter.ts"
import { onEvents } from "../../src/filters/reframe.ts"

type Change = (self: EventStream) => EventStream

let frames = 0
/** A frame as a provider would have sent it; no two are alike. */
const frame = (...events: ReadonlyArray<LlmEvent>): Frame => ({
  protocol: "tested",
  delivery: "stream",
  raw: `frame ${frames++}`,
  events
})
const start: LlmEvent = { _tag: "TextStart", id: "text" }
const end: LlmEvent = { _tag: "TextEnd", id: "text" }
const finish: LlmEvent = { _tag: "Finish", reason: "stop", usage: { source: "none" } }
const delta = (text: string): LlmEvent => ({ _tag: "TextDelta", id: "text", text })
const usage: LlmEvent = { _tag: "UsageReported", usage: { source: "none" } }

const through = (sent: ReadonlyArray<Frame>, change: Change, batch = sent.length) =>
  Stream.runCollect(Stream.fromIterable(sent).pipe(Stream.rechunk(batch), onEvents(change)))

const eventsOf = (frames: ReadonlyArray<Frame>) => frames.flatMap(({ events }) => events)

/** The frames of a change, each `true` where it is the very frame that was sent. */
const kept = (seen: ReadonlyArray<Frame>, sent: ReadonlyArray<Frame>) => seen.map((one) => sent.includes(one))

const identity: Change = (self) => self
const perEvent: Change = (self) => Stream.mapEffect(self, (event) => Effect.succeed(event))
const without =
  (...dropped: ReadonlyArray<LlmEvent>): Change =>
  (self) =>
    Stream.filter(self, (event) => !dropped.includes(event))

/** Replaces one event by others. */
const replacing =
  (replaced: LlmEvent, ...by: ReadonlyArray<LlmEvent>): Change =>
  (self) =>
    Stream.flatMap(self, (event) => (event === replaced ? Stream.fromIterable(by) : Stream.succeed(event)))

describe("what a filter leaves alone", () => {
  const a = delta("a")
  const sent = [frame(), frame(start), frame(a, usage), frame(), frame(delta("b")), frame(end, finish), frame()]

  for (const [name, change] of [
    ["as a whole", identity],
    ["event by event", perEvent],
    ["regrouped", (self: EventStream) => Stream.rechunk(self, 2)]
  ] as const) {
    it.effect(`is the same frames, in place, ${name}, for every batching`, () =>
      Effect.gen(function* () {
        for (let batch = 1; batch <= sent.length; batch++) {
          const seen = yield* through(sent, change, batch)
          assert.strictEqual(seen.length, sent.length)
          for (const [index, one] of seen.entries()) assert.strictEqual(one, sent[index])
        }
      })
    )
  }

  it.effect("is the same frames where it was only held back", () =>
    Effect.gen(function* () {
      const held: Change = (self) => Stream.fromIterableEffect(Stream.runCollect(self))
      assert.deepStrictEqual(kept(yield* through(sent, held, 1), sent), Array(sent.length).fill(true))
    })
  )

  it.effect("is the same frames where the same event comes twice", () =>
    Effect.gen(function* () {
      const twice = [frame(a), frame(a), frame(a, a)]
      assert.deepStrictEqual(kept(yield* through(twice, identity, 2), twice), [true, true, true])
    })
  )

  it.effect("passes one by one, without waiting for what comes later", () =>
    Effect.gen(function* () {
      const first = frame(start)
      const seen = yield* Stream.concat(Stream.make(first), Stream.never).pipe(
        onEvents(identity),
        Stream.take(1),
        Stream.runCollect
      )
      assert.strictEqual(seen[0], first)
    })
  )
})

describe("an event that is", () => {
  const [a, b, c] = [delta("a"), delta("b"), delta("c")]

  it.effect("changed takes its frame along, and no other frame of deltas", () =>
    Effect.gen(function* () {
      const sent = [frame(start), frame(a), frame(b), frame(c)]
      const seen = yield* through(sent, replacing(b, delta("B")))
      assert.deepStrictEqual(eventsOf(seen), [start, a, delta("B"), c])
      assert.deepStrictEqual(kept(seen, sent), [true, true, false, true])
      assert.isUndefined(seen[2]?.raw)
    })
  )

  it.effect("changed in a frame of several takes the frame's text away, not its other events", () =>
    Effect.gen(function* () {
      for (const changed of [a, b, c]) {
        const sent = [frame(a, b, c), frame(usage)]
        const seen = yield* through(sent, replacing(changed, delta("!")))
        assert.deepStrictEqual(
          eventsOf(seen),
          [a, b, c, usage].map((event) => (event === changed ? delta("!") : event))
        )
        assert.deepStrictEqual(
          seen.filter(({ raw }) => raw !== undefined),
          [sent[1]]
        )
      }
    })
  )

  it.effect("inserted between two frames leaves both alone, within a frame breaks it", () =>
    Effect.gen(function* () {
      const sent = [frame(a), frame(b, c)]
      const between = yield* through(sent, replacing(a, a, delta("!")))
      assert.deepStrictEqual(kept(between, sent), [true, false, true])
      const within = yield* through(sent, replacing(b, b, delta("!")))
      assert.deepStrictEqual(eventsOf(within), [a, b, delta("!"), c])
      assert.deepStrictEqual(
        within.filter(({ raw }) => raw !== undefined),
        [sent[0]]
      )
    })
  )

  it.effect("merged with its neighbours is one frame of its own", () =>
    Effect.gen(function* () {
      const merging: Change = (self) =>
        Stream.mapAccum(
          self,
          () => "",
          (held: string, event) =>
            event._tag === "TextDelta"
              ? ([held + event.text, []] as const)
              : (["", held === "" ? [event] : [delta(held), event]] as const)
        )
      const sent = [frame(start), frame(a), frame(b), frame(c), frame(end), frame(finish)]
      const seen = yield* through(sent, merging, 1)
      assert.deepStrictEqual(eventsOf(seen), [start, delta("abc"), end, finish])
      assert.deepStrictEqual(kept(seen, sent), [true, false, false, false])
    })
  )

  it.effect("dropped last is lost with the end of the stream only", () =>
    Effect.gen(function* () {
      const sent = [frame(a, b), frame(c), frame()]
      const seen = yield* through(sent, without(b, c))
      assert.deepStrictEqual(eventsOf(seen), [a])
      assert.isUndefined(seen[0]?.raw)
    })
  )
})

describe("what was taken out does not come back", () => {
  it.effect("in the frame that ends the block and may repeat it", () =>
    Effect.gen(function* () {
      const secret = delta("secret")
      const after = delta("after")
      for (const change of [without(secret), replacing(secret, delta("***"))]) {
        const sent = [frame(start), frame(secret), frame(after), frame(), frame(end), frame(finish), frame()]
        const seen = yield* through(sent, change)
        assert.deepStrictEqual(
          seen.filter(({ raw }) => raw !== undefined),
          [sent[0], sent[2]]
        )
        assert.deepStrictEqual(eventsOf(seen).slice(-2), [end, finish])
      }
    })
  )

  it.effect("by the numbering of blocks: after one was dropped or added nothing is verbatim", () =>
    Effect.gen(function* () {
      const thought: LlmEvent = { _tag: "ReasoningStart", id: "thought" }
      const thoughtEnd: LlmEvent = { _tag: "ReasoningEnd", id: "thought" }
      const a = delta("a")
      const sent = [frame(usage), frame(thought), frame(thoughtEnd), frame(start), frame(a), frame(end, finish)]
      const dropped = yield* through(sent, without(thought, thoughtEnd))
      assert.deepStrictEqual(eventsOf(dropped), [usage, start, a, end, finish])
      assert.deepStrictEqual(kept(dropped, sent), [true, false, false, false])
      const added = yield* through(sent, replacing(thought, thought, { _tag: "TextStart", id: "more" }))
      assert.deepStrictEqual(kept(added, sent), [true, true, false, false, false, false, false])
      // What is written anew is still known by its wire format.
      assert.strictEqual(added[3]?.protocol, "tested")
    })
  )
})

describe("a failure", () => {
  const broken = failure({ _tag: "Transport" }, "the line broke")

  it.effect("comes after what came through before it, in part or whole", () =>
    Effect.gen(function* () {
      const [a, b] = [delta("a"), delta("b")]
      const sent = [frame(start), frame(a, b)]
      const failing: Change = (self) =>
        Stream.mapEffect(self, (event) => (event === b ? Effect.fail(broken) : Effect.succeed(event)))
      for (const [change, source] of [
        [failing, Stream.fromIterable(sent)],
        [without(b), Stream.concat(Stream.fromIterable(sent), Stream.fail(broken))]
      ] as const) {
        const seen: Array<Frame> = []
        const error = yield* onEvents(change)(source).pipe(
          Stream.runForEach((one) => Effect.sync(() => seen.push(one))),
          Effect.flip
        )
        assert.strictEqual(error, broken)
        assert.deepStrictEqual(eventsOf(seen), [start, a])
      }
    })
  )
})

it.effect("remembers a bounded number of frames, whatever a filter keeps back, and loses nothing", () =>
  Effect.gen(function* () {
    const count = 10_000
    const first = delta("first")
    const sent = [frame(first, delta("second")), ...Array.from({ length: count }, (_, i) => frame(delta(`${i}`)))]
    // Passes the first event, keeps all others to the end.
    const keeping: Change = (self) =>
      Stream.suspend(() => {
        const held: Array<LlmEvent> = []
        return self.pipe(
          Stream.filter((event) => event === first || held.push(event) === 0),
          Stream.concat(Stream.suspend(() => Stream.fromIterable(held)))
        )
      })
    const seen = yield* through(sent, keeping, 100)
    assert.deepStrictEqual(eventsOf(seen), eventsOf(sent))
    const verbatim = seen.filter(({ raw }) => raw !== undefined)
    assert.deepStrictEqual(verbatim, sent.slice(-4096))
  })
)

it.effect("is afresh for every run", () =>
  Effect.gen(function* () {
    const sent = [frame(start), frame(delta("a")), frame(end)]
    const changed = onEvents(without(start))(Stream.fromIterable(sent))
    assert.deepStrictEqual(yield* Stream.runCollect(changed), yield* Stream.runCollect(changed))
  })
)

const Kind = Schema.Literals(["TextDelta", "ReasoningDelta", "UsageReported", "TextStart", "Finish"])
const eventOf = (kind: typeof Kind.Type, n: number): LlmEvent => {
  switch (kind) {
    case "TextDelta":
    case "ReasoningDelta":
      return { _tag: kind, id: "block", text: `${n}` }
    case "UsageReported":
      return { _tag: kind, usage: { source: "provider", inputTokens: n } }
    case "TextStart":
      return { _tag: kind, id: `${n}` }
    case "Finish":
      return { _tag: kind, reason: "stop", rawReason: `${n}`, usage: { source: "none" } }
  }
}
const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
const Kinds = Arbitrary.array(Arbitrary.array(Arbitrary.schema(Kind), { maxLength: 3 }), { maxLength: 12 })
const What = Schema.Literals(["pass", "pass", "pass", "pass", "drop", "replace", "before", "after"])
const Decisions = Arbitrary.all({
  what: Arbitrary.array(Arbitrary.schema(What), { minLength: 1, maxLength: 8 }),
  /** how many events are held back before one goes on */
  delay: Arbitrary.schema(upTo(6)),
  batch: Arbitrary.schema(upTo(5)),
  rebatch: Arbitrary.schema(upTo(5))
})
type Decision = typeof What.Type

/** What a filter of these decisions does to the events, all at once. */
const decided = (events: ReadonlyArray<LlmEvent>, what: ReadonlyArray<Decision>, fresh: LlmEvent) =>
  events.flatMap((event, index): ReadonlyArray<LlmEvent> => {
    switch (what[index % what.length]) {
      case "drop":
        return []
      case "replace":
        return [fresh]
      case "before":
        return [fresh, event]
      case "after":
        return [event, fresh]
      default:
        return [event]
    }
  })

/** The same as a stream that keeps back `delay` events as long as more come. */
const deciding =
  (what: ReadonlyArray<Decision>, delay: number, fresh: LlmEvent): Change =>
  (self) =>
    self.pipe(
      Stream.mapAccum(
        () => 0,
        (index, event) => [index + 1, decided([event], [what[index % what.length]!], fresh)] as const
      ),
      Stream.mapAccum(
        (): ReadonlyArray<LlmEvent> => [],
        (held, event) => {
          const all = [...held, event]
          const ready = Math.max(0, all.length - delay)
          return [all.slice(ready), all.slice(0, ready)] as const
        },
        { onHalt: (held) => held as Array<LlmEvent> }
      )
    )

const isDelta = ({ _tag }: LlmEvent) => _tag.endsWith("Delta") || _tag === "UsageReported"

/** The frames that may be verbatim, by a look at the whole: those that stand in the events one after the other. */
const expectedVerbatim = (sent: ReadonlyArray<Frame>, events: ReadonlyArray<LlmEvent>): ReadonlyArray<Frame> => {
  const verbatim: Array<Frame> = []
  const known = new Set(eventsOf(sent))
  const present = new Set(events)
  const noted = (changed: ReadonlyArray<LlmEvent>) => ({
    content: changed.length > 0,
    structure: changed.some((event) => !isDelta(event))
  })
  for (const one of sent) {
    if (one.events.length === 0) continue
    const at = events.indexOf(one.events[0]!)
    const whole = at >= 0 && one.events.every((event, index) => events[at + index] === event)
    if (!whole) continue
    const before = eventsOf(sent.slice(0, sent.indexOf(one))).filter((event) => !present.has(event))
    const { content, structure } = noted([...before, ...events.slice(0, at).filter((event) => !known.has(event))])
    if (!structure && (!content || one.events.every(isDelta))) verbatim.push(one)
  }
  return verbatim
}

describe("for any frames and any filter", () => {
  for (const fresh of [delta("fresh"), { _tag: "TextStart", id: "fresh" } as const]) {
    it.effect.prop(
      `the events are the filter's, and verbatim is what came through whole (adding ${fresh._tag})`,
      [Kinds, Decisions],
      ([kinds, { what, delay, batch, rebatch }]) =>
        Effect.gen(function* () {
          let n = 0
          const sent = kinds.map((each) => frame(...each.map((kind) => eventOf(kind, n++))))
          const change: Change = (self) => Stream.rechunk(deciding(what, delay, fresh)(self), rebatch + 1)
          const seen = yield* through(sent, change, batch + 1)
          const expected = decided(eventsOf(sent), what, fresh)
          assert.deepStrictEqual(eventsOf(seen), expected)
          const verbatim = seen.filter(({ raw, events }) => raw !== undefined && events.length > 0)
          assert.deepStrictEqual(verbatim, expectedVerbatim(sent, expected))
          // What has no events is in its place among the frames, or left out.
          const untouched = seen.filter((one) => sent.includes(one))
          assert.deepStrictEqual(
            untouched,
            sent.filter((one) => untouched.includes(one))
          )
          if (what.every((decision) => decision === "pass")) assert.deepStrictEqual(seen, sent)
        }),
      { arbitrary: { runs: 300 } }
    )
  }
})

it.effect("a frame that was made on the way is of no wire format", () =>
  Effect.gen(function* () {
    const added = delta("added")
    const a = delta("a")
    const seen = yield* through([frame(a)], replacing(a, added, a))
    assert.deepStrictEqual(seen[0], frameOf([added]))
  })
)
