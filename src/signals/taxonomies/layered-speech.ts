import { countOf, preview, type Signal } from "../Signal.ts"
import { efficiencyOf, type SeenRow, type View } from "../Taxonomy.ts"
import { mayBeAlike } from "../sketch.ts"
import { jaccard, overlap, without } from "../Tokens.ts"
import { contradicts } from "./contradiction.ts"
import { affirmed, contentWords, isShouted, matched } from "./speech.ts"

const misalignment = "interaction.misalignment"
const stagnation = "interaction.stagnation"
const disengagement = "interaction.disengagement"
const satisfaction = "interaction.satisfaction"

/** What is said between a person and the model. */
export const speechTypes: ReadonlyArray<string> = [
  `${misalignment}.correction`,
  `${misalignment}.rephrase`,
  `${misalignment}.clarification`,
  `${stagnation}.dragging`,
  `${stagnation}.repetition`,
  `${disengagement}.escalation`,
  `${disengagement}.quit`,
  `${disengagement}.negative_stance`,
  `${satisfaction}.gratitude`,
  `${satisfaction}.confirmation`,
  `${satisfaction}.success`
]

/** Signals of what people and the model say, of fresh rows. */
export const findSpeech = (view: View): ReadonlyArray<Signal> => {
  const found: Array<Signal> = []
  for (let index = view.fresh; index < view.rows.length; index++) {
    const row = view.rows[index]!
    if (row.kind === "human") {
      const pleased = satisfied(row, view)
      found.push(...misaligned(index, view), ...disengaged(row, view, pleased !== undefined))
      if (pleased !== undefined) found.push(pleased)
    }
    if (row.kind === "human" || row.kind === "assistant") found.push(...repeated(index, view))
  }
  found.push(...dragging(view))
  return found
}

const misaligned = (index: number, view: View): ReadonlyArray<Signal> => {
  const { lexicon, rows } = view
  const row = rows[index]!
  for (const kind of ["correction", "rephrase", "clarification"] as const) {
    const match = lexicon[kind].find(row.spoken)
    if (match === undefined) continue
    // Whoever says at once that something is wrong, or not understood, speaks of the subject; later, of the answers.
    if (kind !== "rephrase" && isFirst(index, view)) continue
    return [matched(`${misalignment}.${kind}`, row, match)]
  }
  return contradicted(index, view) ?? rephrased(index, view)
}

/** What was asked for, said against an answer that was about something else. */
const contradicted = (index: number, { lexicon, rows }: View): ReadonlyArray<Signal> | undefined => {
  const row = rows[index]!
  const answered = rows[index - 1]
  const asked = rows[index - 2]
  if (answered?.kind !== "assistant" || asked?.kind !== "human") return undefined
  if (!contradicts(row, { asked, answered }, lexicon)) return undefined
  const metadata = { compared_to: asked.message }
  return [
    {
      type: `${misalignment}.correction`,
      message: row.message,
      confidence: 0.7,
      snippet: preview(row.spoken.text),
      metadata
    }
  ]
}

/** Whether this is the first thing a person says, in a conversation of which everything is here. */
const isFirst = (index: number, { rows, turns }: View): boolean =>
  rows.findIndex(({ kind }) => kind === "human") === index &&
  rows.filter(({ kind }) => kind === "human").length === turns.human

const rephraseDistance = 3

/** The same request as before in nearly the same words. */
const rephrased = (index: number, { lexicon, rows }: View): ReadonlyArray<Signal> => {
  const row = rows[index]!
  const before = rows.findLastIndex(({ kind }, at) => at < index && kind === "human")
  const previous = rows[before]
  if (previous === undefined || index - before > rephraseDistance) return []
  if (row.spoken.length < 3 || previous.spoken.length < 3 || lexicon.confirmationPrefix.standsAt(row.spoken, 0))
    return []
  const words = contentWords(row.spoken, lexicon)
  const others = contentWords(previous.spoken, lexicon)
  if (words.size < 4 || others.size < 4) return []
  const added = without(words, others).size / words.size
  if (added > 0.5 || overlap(words, others) < 0.75) return []
  return [
    {
      type: `${misalignment}.rephrase`,
      message: row.message,
      confidence: 0.8,
      snippet: preview(row.spoken.text),
      metadata: { compared_to: previous.message }
    }
  ]
}

const dragging = ({ before, rows, turns }: View): ReadonlyArray<Signal> => {
  const efficiency = efficiencyOf(turns.human, 0.25)
  const last = rows.at(-1)
  if (efficiency >= 0.5 || last === undefined || countOf(before, `${stagnation}.dragging`) > 0) return []
  return [
    {
      type: `${stagnation}.dragging`,
      message: last.message,
      confidence: Math.round((1 - efficiency) * 1000) / 1000,
      metadata: { turns: turns.human }
    }
  ]
}

const lookBack = 2
const nearlyTheSame = 0.85

/** Nearly the same text as one of the last two of the same speaker. */
const repeated = (index: number, { lexicon, rows }: View): ReadonlyArray<Signal> => {
  const row = rows[index]!
  const others: Array<SeenRow> = []
  for (let at = index - 1, seen = 0; at >= 0 && seen < lookBack; at--) {
    if (rows[at]!.kind !== row.kind) continue
    seen++
    if (mayBeAlike(row.sketch, rows[at]!.sketch, nearlyTheSame)) others.push(rows[at]!)
  }
  // nothing to compare with: the row need not even be taken apart
  if (others.length === 0 || row.profile.length < 5) return []
  if (row.kind === "human" && lexicon.positivePrefix.standsAt(row.profile, 0)) return []
  for (const other of others) {
    if (other.profile.length < 5) continue
    const alike = jaccard(row.profile.trigrams, other.profile.trigrams)
    if (alike < nearlyTheSame) continue
    return [
      {
        type: `${stagnation}.repetition`,
        message: row.message,
        confidence: Math.round(alike * 1000) / 1000,
        snippet: preview(row.profile.text),
        metadata: { kind: alike >= 0.95 ? "exact" : "near_duplicate", compared_to: other.message, speaker: row.kind }
      }
    ]
  }
  return []
}

const disengaged = (row: SeenRow, { lexicon }: View, pleased: boolean): ReadonlyArray<Signal> => {
  const { spoken } = row
  const found: Array<Signal> = []
  const escalation = affirmed(lexicon.humanAgent, spoken, lexicon) ?? affirmed(lexicon.support, spoken, lexicon)
  if (escalation !== undefined) found.push(matched(`${disengagement}.escalation`, row, escalation))
  const quit = affirmed(lexicon.quit, spoken, lexicon)
  if (quit !== undefined) found.push(matched(`${disengagement}.quit`, row, quit))
  const stance = (indicator_type: string, snippet: string, confidence: number): Signal => ({
    type: `${disengagement}.negative_stance`,
    message: row.message,
    confidence,
    snippet,
    metadata: { indicator_type }
  })
  const profanity = lexicon.profanity.find(spoken)
  if (profanity !== undefined) {
    found.push(matched(`${disengagement}.negative_stance`, row, profanity, { indicator_type: "profanity" }))
  }
  const complaint = escalation === undefined && profanity === undefined ? lexicon.complaint.find(spoken) : undefined
  if (complaint !== undefined) {
    found.push(matched(`${disengagement}.negative_stance`, row, complaint, { indicator_type: "complaint" }))
  }
  if (pleased) return found
  if (isShouted(spoken.text)) found.push(stance("all_caps", preview(spoken.text), 0.8))
  const marks = punctuation(spoken.text)
  if (marks !== undefined && !lexicon.positivePrefix.standsAt(spoken, 0)) {
    // Two marks say little; beside something else they underline it.
    const underlines = found.length > 0
    if (marks.length > 2 || underlines) found.push(stance("punctuation", preview(spoken.text), 0.5))
  }
  return found
}

/** Two question marks or exclamation marks and more, one after the other. */
const punctuation = (text: string): string | undefined => /\?{2,}|!{2,}|[?!¿¡]{3,}/.exec(text)?.[0]

const satisfied = (row: SeenRow, { lexicon }: View): Signal | undefined => {
  for (const kind of ["gratitude", "confirmation", "success"] as const) {
    const match = affirmed(lexicon[kind], row.spoken, lexicon)
    if (match !== undefined) return matched(`${satisfaction}.${kind}`, row, match)
  }
  return undefined
}
