import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { renderPage } from "../../scripts/formats/page.ts"
import { answerRows, dialects, requestRows, targets, type Row } from "../../scripts/formats/table.ts"

/** The cells with a fate, as `feature -> column`. */
const withFate = <C extends string>(rows: ReadonlyArray<Row<C>>, fate: string): ReadonlyArray<string> =>
  rows.flatMap(({ name, cells }) =>
    Object.entries<Row<C>["cells"][C]>(cells).flatMap(([column, verdict]) =>
      verdict?.fate === fate ? [`${name} -> ${column}`] : []
    )
  )

describe("the page of formats", () => {
  it("is what the code says (npm run docs writes it)", () => {
    const path = fileURLToPath(new URL("../../docs/formats.md", import.meta.url))
    expect(readFileSync(path, "utf8")).toBe(renderPage())
  })

  it("has every pair of a dialect and a kind of provider", () => {
    expect(dialects).toHaveLength(4)
    expect(targets).toHaveLength(10)
  })
})

describe("what is not carried", () => {
  it.each(dialects)("of a request in %s is told", (id, dialect) => {
    const rows = requestRows(id, dialect)
    expect(withFate(rows, "silent")).toEqual([])
    expect(withFate(rows, "native").length).toBeGreaterThan(100)
  })

  it.each(["stream", "whole"] as const)("of an answer is told (%s)", (delivery) => {
    expect(withFate(answerRows(delivery), "silent")).toEqual([])
  })

  it.each(dialects)("is nothing between %s and its own providers, but proofs that others made", (id, dialect) => {
    const rows = requestRows(id, dialect).map(({ name, cells }) => ({ name, cells: { [id]: cells[id] } }))
    const lost = [...withFate(rows, "dropped"), ...withFate(rows, "emulated"), ...withFate(rows, "refused")]
    const proofs = lost.filter((feature) => feature.startsWith("earlier"))
    expect(lost).toEqual(proofs)
    expect(proofs).not.toContain(`earlier reasoning, signed by the provider that is asked -> ${id}`)
    expect(proofs).not.toContain(`earlier calls, signed by the provider that is asked -> ${id}`)
  })
})
