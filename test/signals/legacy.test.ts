import { describe, expect, it } from "vitest"
import { taxonomies } from "../../src/signals/built-in.ts"
import { noMemory } from "../../src/signals/Watermark.ts"
import { assistant, named, read, user } from "./reading.ts"

const legacy = (...texts: ReadonlyArray<string>) =>
  read(
    texts.map((text, index) => (index % 2 === 0 ? user(text) : assistant(text))),
    noMemory,
    "legacy"
  )

describe("the legacy taxonomy", () => {
  it("raises several indicators for one message", () => {
    expect(named(legacy("I AM SO TIRED OF THIS SHIT!!!"))).toEqual([
      "frustration.all_caps@0",
      "frustration.punctuation@0",
      "frustration.complaint@0",
      "frustration.profanity@0"
    ])
  })

  it("takes courtesy for a sign of content, once a message", () => {
    expect(named(legacy("thanks, it worked, that's perfect"))).toEqual(["positive_feedback.gratitude@0"])
  })

  it("does not find words within words", () => {
    expect(legacy("please prepare the report").signals).toEqual([])
    expect(legacy("that was unsuccessful and incomplete").signals).toEqual([])
  })

  it("finds answers that are like earlier ones", () => {
    const answer = "you can find the settings by clicking on the gear icon"
    expect(named(legacy("where?", answer, "no", answer))).toEqual(["repetition.exact@3"])
  })

  it("can reach every level of quality, and length alone is never severe", () => {
    const assess = (counts: { readonly [type: string]: number }, human = 2) =>
      taxonomies.legacy.assess(counts, { human, assistant: human }).quality
    expect(assess({ "positive_feedback.gratitude": 2 })).toBe("excellent")
    expect(assess({})).toBe("good")
    expect(assess({ "frustration.complaint": 1 })).toBe("neutral")
    expect(assess({ "frustration.complaint": 1, "follow_up.repair": 1 })).toBe("poor")
    expect(assess({ "escalation.support": 1 })).toBe("severe")
    expect(assess({}, 100)).toBe("neutral")
  })
})
