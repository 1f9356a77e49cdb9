import { Effect, type Pull, Scope, Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Frame } from "../domain/Frame.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import type { EventStream, Filter, FilterContext } from "./Filter.ts"
import { onEvents } from "./reframe.ts"
import { eventSide } from "./eventSide.ts"
import { type Ending, isEnding } from "./Verdict.ts"

type Frames<E> = Pull.Pull<NonEmptyReadonlyArray<Frame>, E>

const signed =
  ({ name }: Filter) =>
  (error: LlmError | Ending): LlmError | Ending =>
    isEnding(error) ? error.from(name, "answer") : error

/** The filters of a call, in order; fails where one is named that does not exist. */
export const chainOf = (
  everyCall: ReadonlyArray<Filter>,
  named: ReadonlyMap<string, Filter>,
  names: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Filter>, LlmError> => {
  const chain = [...everyCall]
  for (const name of names) {
    const filter = named.get(name)
    if (filter === undefined) return failure({ _tag: "FilterFailed", filter: name }, `There is no filter ${name}`)
    if (!chain.includes(filter)) chain.push(filter)
  }
  return Effect.succeed(chain)
}

/** The frames as every filter in turn left them; what the filters hold open belongs to the scope. */
export const filterFrames = (
  filters: ReadonlyArray<Filter>,
  request: LlmRequest,
  context: FilterContext,
  pull: Frames<LlmError>,
  scope: Scope.Scope
): Effect.Effect<Frames<LlmError | Ending>> => {
  const changes = filters.flatMap((filter) => {
    if (filter.events === undefined) return []
    const change = eventSide(filter, context, () => filter.events?.(request, context) ?? ((self) => self))
    return [(self: EventStream) => Stream.mapError(change(self), signed(filter))]
  })
  if (changes.length === 0) return Effect.succeed(pull)
  const filtered = onEvents((events) => changes.reduce((stream, change) => change(stream), events))
  return Scope.provide(Stream.toPull(filtered(Stream.fromPull(Effect.succeed(pull)))), scope)
}
