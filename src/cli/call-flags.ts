import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import type { CallFilter } from "../audit/AuditStore.ts"
import { callFilterOf, outcomeNames } from "../server/call-query.ts"
import type { LlmError } from "../domain/LlmError.ts"
import { CommandFailed } from "./CommandFailed.ts"

/** Which calls a command is about: as a server is asked for them, and as a database is. */
export interface ChosenCalls {
  readonly query: URLSearchParams
  readonly filter: CallFilter
}

const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

/** The flags that choose calls. `--key` is the key that is shown to a server, so that of the calls has another name. */
export const filterFlags = {
  outcome: Flag.Literals("outcome", outcomeNames).pipe(Flag.withDescription("Only calls that ended so"), Flag.optional),
  model: text("model", "Only calls of this model, as it was asked for"),
  callerKey: text("caller-key", "Only calls that were made with the key of this name"),
  label: Flag.String("label").pipe(
    Flag.withDescription("Only calls with this label, as name=value; may be given several times"),
    Flag.atLeast(0)
  ),
  text: text("text", "Only calls with this text in what is kept of their requests and answers"),
  conversation: text("conversation", "Only calls of this conversation"),
  requestId: text("request-id", "Only calls of requests with this id"),
  from: text("from", "Only calls that were opened then or later: 2026-11-21T08:00:00Z"),
  to: text("to", "Only calls that were opened before then")
}

/** `--status`, for those that look at what there is. */
export const statusFlag = Flag.Literals("status", ["open", "ended"]).pipe(
  Flag.withDescription("Only calls that are open, or that have ended"),
  Flag.optional
)

type Values = { readonly [Name in Exclude<keyof typeof filterFlags, "label">]: Option.Option<string> } & {
  readonly label: ReadonlyArray<string>
  readonly status?: Option.Option<string>
}

const flagNames: { readonly [parameter: string]: string } = { key: "caller-key", requestId: "request-id" }

/** What is wrong with a parameter, told of the flag that it was given by. */
export const wrongFlag = ({ message }: LlmError): CommandFailed =>
  new CommandFailed({ message: message.replace(/^\w+/, (name) => `--${flagNames[name] ?? name}`) })

/** The calls that flags choose; fails with what is wrong with these. */
export const chosenBy = Effect.fnUntraced(function* ({
  label,
  ...flags
}: Values): Effect.fn.Return<ChosenCalls, CommandFailed> {
  const { callerKey, conversation, from, model, outcome, requestId, status = Option.none(), text, to } = flags
  const given = { conversation, from, key: callerKey, model, outcome, requestId, status, text, to }
  const query = new URLSearchParams(label.map((pair): [string, string] => ["label", pair]))
  for (const [name, value] of Object.entries(given)) if (Option.isSome(value)) query.set(name, value.value)
  const filter = yield* Effect.mapError(callFilterOf(query), wrongFlag)
  return { query, filter }
})
