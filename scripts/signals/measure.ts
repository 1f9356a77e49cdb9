import { analyze } from "../../src/signals/analyze.ts"
import { languageNames, packsOf, taxonomies } from "../../src/signals/built-in.ts"
import { makeLexicon } from "../../src/signals/Lexicon.ts"
import { categoryOf } from "../../src/signals/Signal.ts"
import { conversationOf } from "../../src/signals/Row.ts"
import { noMemory } from "../../src/signals/Watermark.ts"
import { type Labelled, labelledConversations } from "./labelled.ts"

/** How often something was labelled and found, found without a label, and labelled without being found. */
export interface Score {
  readonly name: string
  readonly right: number
  readonly wrong: number
  readonly missed: number
}

const lexicon = makeLexicon(packsOf(languageNames))

/** The types that are found in a conversation, as labels are written: `type@message`. */
const found = ({ request }: Labelled, name: keyof typeof taxonomies, nameOf: (type: string) => string | undefined) => {
  const { signals } = analyze(conversationOf(request, undefined), noMemory, { taxonomy: taxonomies[name], lexicon })
  return new Set(
    signals.flatMap(({ message, type }) => {
      const label = nameOf(type)
      return label === undefined ? [] : [`${label}@${message}`]
    })
  )
}

const leafOf = (type: string): string => type.slice(type.lastIndexOf(".") + 1)

/** What the legacy taxonomy calls a label. */
const legacyNames: { readonly [label: string]: string } = {
  correction: "follow_up",
  rephrase: "follow_up",
  clarification: "frustration",
  negative_stance: "frustration",
  gratitude: "positive_feedback",
  confirmation: "positive_feedback",
  success: "positive_feedback",
  escalation: "escalation",
  quit: "escalation",
  repetition: "repetition"
}

/** A conversation that was read otherwise than its label says. */
export interface Mistake {
  readonly id: string
  readonly wrong: ReadonlyArray<string>
  readonly missed: ReadonlyArray<string>
}

export interface Measured {
  readonly scores: ReadonlyArray<Score>
  readonly mistakes: ReadonlyArray<Mistake>
}

const compare = (
  conversations: ReadonlyArray<Labelled>,
  names: ReadonlyArray<string>,
  expected: (conversation: Labelled) => ReadonlySet<string>,
  actual: (conversation: Labelled) => ReadonlySet<string>
): Measured => {
  const rows = conversations.map((conversation) => {
    const labels = expected(conversation)
    const signals = actual(conversation)
    return {
      id: conversation.id,
      right: [...signals].filter((label) => labels.has(label)),
      wrong: [...signals].filter((label) => !labels.has(label)),
      missed: [...labels].filter((label) => !signals.has(label))
    }
  })
  const count = (key: "right" | "wrong" | "missed", name: string) =>
    rows.flatMap((row) => row[key]).filter((label) => label.startsWith(`${name}@`)).length
  return {
    scores: names.map((name) => ({
      name,
      right: count("right", name),
      wrong: count("wrong", name),
      missed: count("missed", name)
    })),
    mistakes: rows.filter(({ missed, wrong }) => missed.length + wrong.length > 0)
  }
}

/**
 * Conversations that no pattern was written for, by how their ids begin: `held` for the first patterns, `unseen` before
 * these were made broader.
 */
export const heldOutSets = ["held", "unseen"] as const
export type HeldOutSet = (typeof heldOutSets)[number]

const isOf = (set: HeldOutSet, { id }: Labelled): boolean => id.startsWith(`${set}-`)

export const isHeldOut = (conversation: Labelled): boolean => heldOutSets.some((set) => isOf(set, conversation))

/** Everything in the conversations that are held out, against their labels: each type that is there, and all as one. */
export const measureHeldOut = (set: HeldOutSet): Measured => {
  const { mistakes, scores } = measureLayered(heldOut(set))
  const sum = (key: "right" | "wrong" | "missed") => scores.reduce((total, score) => total + score[key], 0)
  return {
    mistakes,
    scores: [
      ...scores.filter(({ missed, right, wrong }) => missed + right + wrong > 0),
      { name: "all", right: sum("right"), wrong: sum("wrong"), missed: sum("missed") }
    ]
  }
}

export const heldOut = (set: HeldOutSet): ReadonlyArray<Labelled> =>
  labelledConversations().filter((conversation) => isOf(set, conversation))

const tuned = () => labelledConversations().filter((conversation) => !isHeldOut(conversation))

/** Every type of the layered taxonomy, against the labels. */
export const measureLayered = (conversations: ReadonlyArray<Labelled> = tuned()): Measured =>
  compare(
    conversations,
    taxonomies.layered.types.map(leafOf),
    ({ labels }) => labels,
    (conversation) => found(conversation, "layered", leafOf)
  )

/** The categories of the legacy taxonomy, against what the labels mean in it. Tools are none of its business. */
export const measureLegacy = (): Measured =>
  compare(
    tuned(),
    [...new Set(Object.values(legacyNames))],
    ({ labels }) =>
      new Set(
        [...labels].flatMap((label) => {
          const [name = "", at = ""] = label.split("@")
          const legacy = legacyNames[name]
          return legacy === undefined ? [] : [`${legacy}@${at}`]
        })
      ),
    (conversation) => found(conversation, "legacy", (type) => categoryOf(type))
  )
