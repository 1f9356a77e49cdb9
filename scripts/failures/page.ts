import { Effect } from "effect"
import { allPhases, cellOf, type Phase, reasons, situations } from "./table.ts"

const introduction = `# Failures

What a caller sees of a provider's failure, by its reason, by how far the answer had come, and by who else may answer. Every
cell is what became of a call that was made so; \`npm run docs\` writes this page, and a test fails where it is stale.

| | |
|---|---|
| answered | the whole answer, as if nothing had happened; *rescued* where it broke off and was gone on with |
| a number | that HTTP status, with an error body of the caller's API |
| told in the stream | an error in the stream, which ends without its sign of success |

Attempts are those of all targets, where there was more than one. The models have what they have by default; the second
target is well, and says what the first one said. [What is done after which failure](configuration.md#when-something-fails)
can be set.
`

const rowOf =
  (phase: Phase) =>
  ([name, reason]: (typeof reasons)[number]) =>
    Effect.map(
      Effect.forEach(situations, (situation) => cellOf(reason, phase, situation)),
      (cells) => `| ${[name, ...cells].join(" | ")} |`
    )

const section = (phase: Phase) =>
  Effect.map(Effect.forEach(reasons, rowOf(phase)), (rows) =>
    [
      `\n## It fails ${phase}\n`,
      `| | ${situations.join(" | ")} |`,
      `| ${["", ...situations].map(() => "---").join(" | ")} |`,
      ...rows,
      ""
    ].join("\n")
  )

/** The page of failures. */
export const renderFailures: Effect.Effect<string> = Effect.map(
  Effect.forEach(allPhases, section),
  (sections) => introduction + sections.join("")
)
