import { countOf, preview, severityOf, type Signal } from "../Signal.ts"
import { assessed, efficiencyOf, type SeenRow, type Taxonomy, type View } from "../Taxonomy.ts"
import { jaccard, overlap } from "../Tokens.ts"
import { satisfactionOf } from "./satisfaction.ts"
import { affirmed, contentWords, isShouted, matched } from "./speech.ts"

const repair = (index: number, { lexicon, rows }: View): ReadonlyArray<Signal> => {
  const row = rows[index]!
  for (const family of ["correction", "rephrase", "repair"] as const) {
    const match = lexicon[family].find(row.spoken)
    if (match !== undefined) return [matched("follow_up.repair", row, match)]
  }
  const previous = index < 2 ? undefined : rows.findLast(({ kind }, at) => at < index && kind === "human")
  if (previous === undefined || row.spoken.length < 3 || previous.spoken.length < 3) return []
  const words = contentWords(row.spoken, lexicon)
  const others = contentWords(previous.spoken, lexicon)
  if (words.size < 2 || others.size < 2 || overlap(words, others) < 0.6) return []
  return [
    {
      type: "follow_up.repair",
      message: row.message,
      confidence: 0.8,
      snippet: preview(row.spoken.text),
      metadata: { compared_to: previous.message }
    }
  ]
}

const many = (text: string, mark: string): boolean => text.split(mark).length > 3

const frustration = (row: SeenRow, { lexicon }: View): ReadonlyArray<Signal> => {
  const { spoken } = row
  const found: Array<Signal> = []
  const indicator = (leaf: string): Signal => ({
    type: `frustration.${leaf}`,
    message: row.message,
    confidence: 1,
    snippet: preview(spoken.text)
  })
  if (isShouted(spoken.text)) found.push(indicator("all_caps"))
  if (many(spoken.text, "?") || many(spoken.text, "!")) found.push(indicator("punctuation"))
  for (const [leaf, patterns] of [
    ["complaint", lexicon.complaint],
    ["confusion", lexicon.clarification],
    ["profanity", lexicon.swearing]
  ] as const) {
    const match = patterns.find(spoken) ?? (leaf === "profanity" ? lexicon.profanity.find(spoken) : undefined)
    if (match !== undefined) found.push(matched(`frustration.${leaf}`, row, match))
  }
  return found
}

const feedback = (row: SeenRow, { lexicon }: View): ReadonlyArray<Signal> => {
  for (const [leaf, families] of [
    ["gratitude", [lexicon.gratitude, lexicon.thanks]],
    ["satisfaction", [lexicon.confirmation]],
    ["success", [lexicon.success]]
  ] as const) {
    for (const patterns of families) {
      const match = affirmed(patterns, row.spoken, lexicon)
      if (match !== undefined) return [matched(`positive_feedback.${leaf}`, row, match)]
    }
  }
  return []
}

const escalation = (row: SeenRow, { lexicon }: View): ReadonlyArray<Signal> => {
  const human = affirmed(lexicon.humanAgent, row.spoken, lexicon)
  const support = human === undefined ? affirmed(lexicon.support, row.spoken, lexicon) : undefined
  const quit = affirmed(lexicon.quit, row.spoken, lexicon)
  return [
    ...(human === undefined ? [] : [matched("escalation.human_agent", row, human)]),
    ...(support === undefined ? [] : [matched("escalation.support", row, support)]),
    ...(quit === undefined ? [] : [matched("escalation.threat_to_quit", row, quit)])
  ]
}

const window = 20

/** Answers that are like one of the last twenty. */
const repetition = (index: number, { rows }: View): ReadonlyArray<Signal> => {
  const row = rows[index]!
  if (row.profile.length < 5) return []
  const earlier = rows.slice(0, index).filter(({ kind }) => kind === "assistant")
  return earlier.slice(-window).flatMap((other): ReadonlyArray<Signal> => {
    if (other.profile.length < 5) return []
    const alike = jaccard(row.profile.bigrams, other.profile.bigrams)
    if (alike < 0.5) return []
    return [
      {
        type: `repetition.${alike >= 0.85 ? "exact" : "near_duplicate"}`,
        message: row.message,
        confidence: Math.round(alike * 1000) / 1000,
        snippet: preview(row.profile.text),
        metadata: { compared_to: other.message }
      }
    ]
  })
}

/** Five kinds of signals of what is said. */
export const legacy: Taxonomy = {
  name: "legacy",
  types: [
    "follow_up.repair",
    ...["all_caps", "punctuation", "complaint", "confusion", "profanity"].map((leaf) => `frustration.${leaf}`),
    ...["exact", "near_duplicate"].map((leaf) => `repetition.${leaf}`),
    ...["gratitude", "satisfaction", "success"].map((leaf) => `positive_feedback.${leaf}`),
    ...["human_agent", "support", "threat_to_quit"].map((leaf) => `escalation.${leaf}`)
  ],
  find: (view) =>
    view.rows.slice(view.fresh).flatMap((row, offset) => {
      const index = view.fresh + offset
      if (row.kind === "assistant") return repetition(index, view)
      if (row.kind !== "human") return []
      return [...repair(index, view), ...frustration(row, view), ...feedback(row, view), ...escalation(row, view)]
    }),
  assess: (counts, turns) => {
    const total = turns.human + turns.assistant
    const efficiency = efficiencyOf(total, 0.3)
    const of = (category: string) => countOf(counts, category)
    const frustrated = severityOf(of("frustration"))
    const repeated = severityOf(of("repetition"))
    if (of("escalation") > 0 || frustrated === 3 || repeated === 3) return { score: 0, quality: "severe", efficiency }
    const score =
      50 +
      20 * satisfactionOf(of("positive_feedback")) +
      10 * efficiency -
      10 * frustrated -
      (of("follow_up") > 0.3 * turns.human ? 15 : 0) -
      (of("repetition") > 2 ? 8 * repeated : 0) -
      (total > 7 ? 10 : 0)
    return assessed(score, efficiency)
  },
  flags: (found, counts) =>
    found.some(
      ({ type }) =>
        type.startsWith("frustration.") ||
        type.startsWith("escalation.") ||
        (type.startsWith("repetition.") && countOf(counts, "repetition") > 2)
    )
}
