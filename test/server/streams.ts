import { assert } from "@effect/vitest"
import type { Seen } from "./simulate/server.ts"

/** The documents of a stream's frames, each of which has to be whole; `[DONE]` and events without data as they are. */
export const documentsIn = (text: string): ReadonlyArray<unknown> => {
  assert.isTrue(text === "" || text.endsWith("\n\n"), `half a frame: ${text.slice(-80)}`)
  return text
    .split("\n\n")
    .map((frame) => frame.split("\n").findLast((line) => line.startsWith("data:")))
    .filter((line) => line !== undefined)
    .map((line) => line.slice(5).trim())
    .map((data) => (data === "[DONE]" ? data : (JSON.parse(data) as unknown)))
}

type Piece = {
  readonly choices?: ReadonlyArray<{ readonly delta?: { readonly content?: string | null } }>
  readonly delta?: { readonly text?: string }
}

/** The text that a stream of either dialect says. */
export const textIn = (text: string): string =>
  documentsIn(text)
    // What has none of these says no text.
    .map((document) => document as Piece)
    .map(({ choices, delta }) => choices?.[0]?.delta?.content ?? delta?.text ?? "")
    .join("")

const successes = ["[DONE]", '"message_stop"']

/** A stream that failed after it began: whole frames, the error last, no sign of success. */
export const assertBrokenOff = (seen: Seen): void => {
  assert.strictEqual(seen.status, 200)
  assert.strictEqual(seen.ending, "end")
  assert.isTrue("error" in (documentsIn(seen.text).at(-1) as object), seen.text.slice(-200))
  for (const success of successes) assert.notInclude(seen.text, success)
}

/** A stream that ended well, with the terminator of its dialect, once and last. */
export const assertComplete = (seen: Seen): void => {
  assert.strictEqual(seen.status, 200)
  assert.strictEqual(seen.ending, "end")
  const last = documentsIn(seen.text).at(-1)
  assert.isTrue(
    last === "[DONE]" || (last as { readonly type?: string }).type === "message_stop",
    seen.text.slice(-200)
  )
  assert.notInclude(seen.text, '"error"')
}
