import type { RenderContext } from "../../../src/protocols/Dialect.ts"

/** What a renderer is told of a call. */
export const contextOf = (more: Partial<RenderContext> = {}): RenderContext => ({
  id: "chatcmpl-made-here",
  created: 1_800_000_000,
  request: { model: "smart", messages: [], sampling: {} },
  origin: undefined,
  ...more
})
