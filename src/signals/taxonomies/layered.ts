import { countOf, severityOf } from "../Signal.ts"
import { assessed, efficiencyOf, type Taxonomy } from "../Taxonomy.ts"
import { findLoops, loopTypes } from "./layered-loops.ts"
import { findSpeech, speechTypes } from "./layered-speech.ts"
import { findObserved, observedTypes } from "./layered-tools.ts"
import { satisfactionOf } from "./satisfaction.ts"

/** Three layers: what is said, what is done with tools, and what becomes of the surroundings. */
export const layered: Taxonomy = {
  name: "layered",
  types: [...speechTypes, ...loopTypes, ...observedTypes],
  find: (view) => [...findSpeech(view), ...findLoops(view), ...findObserved(view)],
  assess: (counts, turns) => {
    const efficiency = efficiencyOf(turns.human, 0.25)
    const of = (category: string) => countOf(counts, category)
    const disengagement = severityOf(of("interaction.disengagement"))
    const stagnation = severityOf(of("interaction.stagnation"))
    const lost = of("interaction.disengagement.escalation") + of("interaction.disengagement.quit") > 0
    if (lost || disengagement === 3 || stagnation === 3) return { score: 0, quality: "severe", efficiency }
    const score =
      50 +
      20 * satisfactionOf(of("interaction.satisfaction")) +
      10 * efficiency -
      10 * disengagement -
      (of("interaction.misalignment") > 0.3 * turns.human ? 15 : 0) -
      (of("interaction.stagnation") > 2 ? 8 * stagnation : 0) -
      8 * of("execution.failure") -
      5 * of("execution.loops") -
      3 * of("environment.exhaustion")
    return assessed(score, efficiency)
  },
  flags: (found, counts) =>
    found.some(({ metadata, type }) => {
      // marks alone may as well be joy
      if (type === "interaction.disengagement.negative_stance") return metadata?.["indicator_type"] !== "punctuation"
      if (type.startsWith("interaction.stagnation.")) return countOf(counts, "interaction.stagnation") > 2
      return ["interaction.disengagement.", "execution.failure.", "execution.loops."].some((start) =>
        type.startsWith(start)
      )
    })
}
