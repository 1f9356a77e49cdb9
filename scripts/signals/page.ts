import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { labelledConversations } from "./labelled.ts"
import {
  heldOut,
  type HeldOutSet,
  isHeldOut,
  measureHeldOut,
  measureLayered,
  measureLegacy,
  type Measured,
  type Score
} from "./measure.ts"

/** The page with the measured numbers in it. */
export const pagePath = fileURLToPath(new URL("../../docs/signals.md", import.meta.url))

const begins = "<!-- measured: npm run docs writes this -->"
const ends = "<!-- /measured -->"

const share = (part: number, whole: number): string => (whole === 0 ? "–" : (part / whole).toFixed(2))

const row = ({ missed, name, right, wrong }: Score): string =>
  `| \`${name}\` | ${right + missed} | ${share(right, right + wrong)} | ${share(right, right + missed)} |`

const table = ({ scores }: Measured): string =>
  ["| | labelled | precision | recall |", "|---|---|---|---|", ...scores.map(row)].join("\n")

const languages = { en: "English", de: "German", fr: "French", es: "Spanish", tool: "about tools" }

const mistakes = (found: Measured): string =>
  found.mistakes
    .map(
      ({ id, missed, wrong }) =>
        `- ${id}: ${[...wrong.map((label) => `\`${label}\` found`), ...missed.map((label) => `\`${label}\` missed`)].join(", ")}`
    )
    .join("\n")

const heldOutPart = (set: HeldOutSet, title: string): string => {
  const found = measureHeldOut(set)
  return `**${title}**: ${heldOut(set).length} more\n\n${table(found)}\n\n${mistakes(found)}`
}

const measured = (): string => {
  const all = labelledConversations()
  const conversations = all.filter((conversation) => !isHeldOut(conversation))
  const counts = Object.entries(languages).map(
    ([prefix, name]) => `${conversations.filter(({ id }) => id.startsWith(`${prefix}-`)).length} ${name}`
  )
  const clean = conversations.filter(({ labels }) => labels.size === 0).length
  const layered = measureLayered()
  return [
    `${conversations.length} conversations (${counts.join(", ")}), ${clean} of them without any signal.`,
    `**layered**\n\n${table(layered)}`,
    `What it reads otherwise than the labels:\n\n${mistakes(layered)}`,
    `**legacy**, by category\n\n${table(measureLegacy())}`,
    heldOutPart("held", "held out"),
    heldOutPart("unseen", "held out, later")
  ].join("\n\n")
}

/** The page as it stands, with the numbers measured anew. */
export const renderSignalsPage = (): string => {
  const page = readFileSync(pagePath, "utf8")
  const [before, after] = [page.indexOf(begins), page.indexOf(ends)]
  if (before < 0 || after < before) throw new Error(`${pagePath} has no place for what is measured`)
  return `${page.slice(0, before)}${begins}\n\n${measured()}\n\n${page.slice(after)}`
}
