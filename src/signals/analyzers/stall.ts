import type { Analyzer } from "../Analyzer.ts"

/** An answer that has begun and then says nothing for so many milliseconds. */
export const stall = (name: string, onFinding: "observe" | "stop" = "observe", afterMs = 20_000): Analyzer => ({
  name,
  onFinding,
  watch: () => ({
    event: () => undefined,
    silence: { afterMs, observation: { category: "stall", severity: "medium" } }
  })
})
