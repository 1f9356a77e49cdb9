import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { labelledConversations } from "../../scripts/signals/labelled.ts"
import {
  heldOutSets,
  measureHeldOut,
  measureLayered,
  measureLegacy,
  type Score
} from "../../scripts/signals/measure.ts"
import { pagePath, renderSignalsPage } from "../../scripts/signals/page.ts"
import { taxonomies } from "../../src/signals/built-in.ts"

const below = (scores: ReadonlyArray<Score>, least: number) =>
  scores
    .filter(({ missed, right, wrong }) => right / (right + wrong) < least || right / (right + missed) < least)
    .map(({ name }) => name)

describe("the page of signals", () => {
  it("has the numbers that are measured now (npm run docs writes them)", () => {
    expect(readFileSync(pagePath, "utf8")).toBe(renderSignalsPage())
  })

  it("names every type of both taxonomies", () => {
    const page = readFileSync(pagePath, "utf8")
    for (const type of taxonomies.layered.types) expect(page).toContain(`\`${type.split(".").at(-1)}\``)
    for (const type of taxonomies.legacy.types) expect(page).toMatch(new RegExp(`\`${type.split(".")[0]}[.*r]`))
  })
})

describe("the labelled conversations", () => {
  it("are at least 150, each labelled with what there is, in messages that there are", () => {
    const conversations = labelledConversations()
    const leaves = taxonomies.layered.types.map((type) => type.split(".").at(-1))
    expect(conversations.length).toBeGreaterThanOrEqual(150)
    expect(new Set(conversations.map(({ id }) => id)).size).toBe(conversations.length)
    for (const { id, labels, request } of conversations) {
      for (const label of labels) {
        const [leaf, message] = label.split("@")
        expect(leaves, id).toContain(leaf)
        expect(Number(message), id).toBeLessThan(request.messages.length)
      }
    }
  })

  it("label every type of the layered taxonomy, and a quarter of them has none", () => {
    const conversations = labelledConversations()
    const used = new Set(conversations.flatMap(({ labels }) => [...labels].map((label) => label.split("@")[0])))
    expect(taxonomies.layered.types.filter((type) => !used.has(type.split(".").at(-1)))).toEqual([])
    expect(conversations.filter(({ labels }) => labels.size === 0).length).toBeGreaterThan(50)
  })
})

describe("what is found in them", () => {
  it("is right, and is most of what there is, for every signal of the layered taxonomy", () => {
    expect(below(measureLayered().scores, 0.75)).toEqual([])
  })

  it("asks nobody for a person, and lets nobody quit, who did not", () => {
    const { scores } = measureLayered()
    expect(scores.filter(({ name, wrong }) => ["escalation", "quit"].includes(name) && wrong > 0)).toEqual([])
  })

  it.each(heldOutSets)(
    "is right, and is most of what there is, in conversations that no pattern was written for (%s)",
    (set) => {
      const all = measureHeldOut(set).scores.filter(({ name }) => name === "all")
      expect(below(all, 0.6)).toEqual([])
      expect(all.filter(({ right, wrong }) => right / (right + wrong) < 0.9)).toEqual([])
    }
  )

  it("is mostly right in the legacy taxonomy", () => {
    expect(below(measureLegacy().scores, 0.7)).toEqual([])
  })
})
