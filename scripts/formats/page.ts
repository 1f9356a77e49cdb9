import type { FormatName } from "../../src/providers/formats.ts"
import type { Asking } from "./requests.ts"
import { answerRows, dialects, models, requestRows, targets, type Row } from "./table.ts"

const askedOf = [...new Set(targets.map((target) => `\`${models[target]}\``))].join(", ")

const introduction = `# Formats

What becomes of everything that a request can ask for and an answer can hold, for each format that callers speak and each
format that providers are called by. \`npm run docs\` writes this page: it sends a request with exactly one feature through
the code that decides, and holds what comes out against the request without it. A test fails where the page is stale, and
where anything was lost without a word.

| | |
|---|---|
| native | the target's format has words for it, and it arrives in them |
| emulated | it arrives in other words: as an instruction, as text, as the nearest value; a notice says so |
| dropped | it does not arrive; a notice says so, and the rest of the request does |
| refused | the request is refused, because an answer without it would be an answer to another question |

Notices stand in the record of the call. Where caller and provider speak the same format, and no filter changed anything, the
request goes on as it was written, but for the model and how the answer is to come, and the answer comes back byte for byte:
nothing is lost there but proofs of reasoning that others made. What else of another provider's turns would be refused is said
so that it is taken: ids of calls that are too long, come twice or hold other characters, calls that Gemini wants signed, blank
texts and thoughts without a signature for Claude. Between formats, whole numbers in the arguments of tools stay what they are,
also those that no double holds. What depends on the model was asked of these:
${askedOf}.
`

const callersGet = `
What a caller gets, by the format that it speaks, whichever format the provider answered in. Proofs of reasoning that a
provider of another format gave are carried sealed: they come back with the next turn, and out of the seal as they were.

So are signatures that a provider wants back with a tool call (Gemini's \`thoughtSignature\`). Callers of Messages find the seal
in a thinking block before the call, those of Responses in a reasoning item before it, those of Gemini on the call itself.
Callers of Chat Completions find it on the call as \`extra_content.google.thought_signature\`, as Google's own server of that API
sends signatures: \`openai\` and \`@ai-sdk/openai-compatible\` send it back, LangChain's \`ChatOpenAI\` and \`@ai-sdk/openai\`
forget it where they speak Chat Completions (with the Responses API they do not). To Gemini 3 a call without its signature then
says, in the word that Google has for it, that there is none; other providers get the call without one.`

const tableOf = (heads: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const requestTable = (rows: ReadonlyArray<Row<FormatName>>): string =>
  tableOf(
    ["", ...targets],
    rows.map(({ name, cells }) => [name, ...targets.map((target) => cells[target]?.fate ?? "")])
  )

const asking = dialects.map(([id]) => id)

/** A stream and a whole answer say the same nearly always; where they do not, the stream comes first. */
const answerTable = (streamed: ReadonlyArray<Row<Asking>>, whole: ReadonlyArray<Row<Asking>>): string =>
  tableOf(
    ["", ...asking],
    streamed.map(({ name, cells }, index) => [
      name,
      ...asking.map((id) => {
        const fates = [cells[id]?.fate, whole[index]?.cells[id]?.fate]
        return fates[0] === fates[1] ? (fates[0] ?? "") : `${fates[0]}, ${fates[1]} whole`
      })
    ])
  )

type Said = Map<string, Set<string>>

/** What is said in one column, and of which features. */
const saidIn = <Column extends string>(
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<Row<Column>>
): Map<Column, Said> => {
  const said = new Map<Column, Said>()
  for (const { name, cells } of rows) {
    for (const column of columns) {
      const known: Said = said.get(column) ?? new Map()
      said.set(column, known)
      for (const message of cells[column]?.messages ?? [])
        known.set(message, (known.get(message) ?? new Set()).add(name))
    }
  }
  return said
}

const listOf = (said: Map<string, Said>): string =>
  [...said]
    .map(([column, messages]) => {
      const lines = [...messages].map(([message, features]) => `- ${message} (${[...features].join("; ")})`)
      return `### ${column}\n\n${lines.toSorted().join("\n")}`
    })
    .join("\n\n")

/** The page, from its first line to its last. */
export const renderPage = (): string => {
  const requests = dialects.map(([id, dialect]) => [id, requestRows(id, dialect)] as const)
  const [streamed, whole] = [answerRows("stream"), answerRows("whole")]
  const asked = requests.flatMap(([, rows]) => rows)
  const sections = [
    introduction,
    "## Requests",
    ...requests.map(([id, rows]) => `### Asked in ${id}\n\n${requestTable(rows)}`),
    "## Answers",
    callersGet,
    answerTable(streamed, whole),
    "## What is said of requests",
    "By the format that the provider is called by, with the features that it is said of.",
    listOf(saidIn(targets, asked)),
    "## What is said of answers",
    "By the format that the caller speaks.",
    listOf(saidIn(asking, [...streamed, ...whole]))
  ]
  return `${sections.map((section) => section.trim()).join("\n\n")}\n`
}
