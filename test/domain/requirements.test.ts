import { expect, it } from "vitest"
import { prompt } from "../../src/domain/prompt.ts"
import { unmetRequirement } from "../../src/domain/requirements.ts"

const request = {
  ...prompt("m", "go on"),
  requires: { protocol: "keeps-state", feature: "earlier", message: "send all of it" }
}

it("what a server of one format holds is refused everywhere else, with what to do instead", () => {
  expect(unmetRequirement(request, "keeps-state")).toBeUndefined()
  expect(unmetRequirement(request, "another")).toMatchObject({
    reason: { _tag: "Unsupported", feature: "earlier" },
    message: "send all of it"
  })
  expect(unmetRequirement(request, undefined)).toBeDefined()
  expect(unmetRequirement(prompt("m", "hello"), "another")).toBeUndefined()
})
