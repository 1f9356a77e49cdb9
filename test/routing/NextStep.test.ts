import { assert, describe, it } from "@effect/vitest"
import { failure, type FailureReason } from "../../src/domain/LlmError.ts"
import { nextStep, type NextStep } from "../../src/routing/NextStep.ts"

const again = "ask it again"
const end = "end"
const leave = (what: "key" | "target", until: "round" | "others" | "call") => `leave the ${what} (${until})`

const written = (step: NextStep): string =>
  step._tag === "Again" ? again : step._tag === "End" ? end : leave(step.leave, step.until)

/** Every reason: what follows where the target may be asked once more, and where it was already. */
const table: ReadonlyArray<readonly [reason: FailureReason, first: string, second: string]> = [
  [{ _tag: "UpstreamServer" }, again, leave("target", "round")],
  [{ _tag: "Transport" }, again, leave("target", "round")],
  [{ _tag: "InvalidOutput", kind: "malformedFrame" }, again, leave("target", "round")],
  [{ _tag: "IncompleteStream", kind: "empty" }, again, leave("target", "round")],
  [{ _tag: "IncompleteStream", kind: "noStop" }, again, leave("target", "round")],
  [{ _tag: "Timeout", phase: "idle" }, again, leave("target", "round")],
  [{ _tag: "RateLimited" }, leave("key", "round"), leave("key", "round")],
  [{ _tag: "Overloaded" }, leave("target", "round"), leave("target", "round")],
  [{ _tag: "NoRoute" }, leave("target", "round"), leave("target", "round")],
  [{ _tag: "Timeout", phase: "connect" }, leave("target", "others"), leave("target", "others")],
  [{ _tag: "Timeout", phase: "firstToken" }, leave("target", "others"), leave("target", "others")],
  [{ _tag: "Unauthorized" }, leave("key", "call"), leave("key", "call")],
  [{ _tag: "PermissionDenied" }, leave("key", "call"), leave("key", "call")],
  [{ _tag: "QuotaExceeded" }, leave("key", "call"), leave("key", "call")],
  [{ _tag: "UnknownModel", model: "x", near: [] }, leave("target", "call"), leave("target", "call")],
  [{ _tag: "ContextTooLong" }, leave("target", "call"), leave("target", "call")],
  [{ _tag: "Unsupported", feature: "x" }, leave("target", "call"), leave("target", "call")],
  [{ _tag: "InvalidRequest", kind: "semantic" }, end, end],
  [{ _tag: "ContentBlocked" }, end, end],
  [{ _tag: "ToolFailed", tool: "x" }, end, end],
  [{ _tag: "FilterFailed", filter: "x" }, end, end],
  [{ _tag: "Timeout", phase: "total" }, end, end],
  [{ _tag: "AuditUnavailable" }, end, end],
  [{ _tag: "Internal" }, end, end]
]

describe("what follows a failure", () => {
  for (const [reason, first, second] of table) {
    const name = "phase" in reason ? `${reason._tag} ${reason.phase}` : reason._tag
    it(`${name}: ${first}, then ${second}; nothing once the attempts are spent`, () => {
      const error = failure(reason, "x")
      assert.strictEqual(written(nextStep(error, { attempts: 3, again: true, fallbackOn: [] })), first)
      assert.strictEqual(written(nextStep(error, { attempts: 3, again: false, fallbackOn: [] })), second)
      assert.strictEqual(written(nextStep(error, { attempts: 0, again: true, fallbackOn: ["content-blocked"] })), end)
    })
  }

  it("a refusal for content is taken elsewhere where that is asked for, and nothing else is", () => {
    for (const [reason, first] of table) {
      const step = nextStep(failure(reason, "x"), { attempts: 1, again: true, fallbackOn: ["content-blocked"] })
      assert.strictEqual(written(step), reason._tag === "ContentBlocked" ? leave("target", "call") : first)
    }
  })
})
