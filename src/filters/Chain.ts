import { Effect, type Pull, Scope, Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import type { Filter } from "./Filter.ts"
import { onEvents } from "./reframe.ts"

type FramePull = Pull.Pull<NonEmptyReadonlyArray<Frame>, LlmError>

/** The request as every filter in turn left it. */
export const filterRequest = (
  filters: ReadonlyArray<Filter>,
  request: LlmRequest
): Effect.Effect<LlmRequest, LlmError> =>
  Effect.reduce(
    filters,
    () => request,
    (current, filter) => filter.request?.(current) ?? Effect.succeed(current)
  )

/** The frames as every filter in turn left them; what the filters hold open belongs to the scope. */
export const filterFrames = (
  filters: ReadonlyArray<Filter>,
  request: LlmRequest,
  pull: FramePull,
  scope: Scope.Scope
): Effect.Effect<FramePull> => {
  const changes = filters.flatMap((filter) => (filter.events === undefined ? [] : [filter.events(request)]))
  if (changes.length === 0) return Effect.succeed(pull)
  const filtered = onEvents((events) => changes.reduce((stream, change) => change(stream), events))
  return Scope.provide(Stream.toPull(filtered(Stream.fromPull(Effect.succeed(pull)))), scope)
}
