import type { Notices } from "../Notices.ts"
import { table } from "../../domain/table.ts"

/** What is new in Claude's API is asked for by names; a cloud refuses a whole request for one that it does not know. */
const everyCloud = [
  "compact-2026-01-12",
  "computer-use-2025-01-24",
  "computer-use-2025-11-24",
  "context-1m-2025-08-07",
  "context-management-2025-06-27",
  "interleaved-thinking-2025-05-14",
  "thinking-binding-controls-2026-08-01",
  "thinking-display-updates-2026-08-18",
  "tool-search-tool-2025-10-19"
]

/** The names that Amazon Bedrock knows. */
export const bedrockBetas: ReadonlyArray<string> = [
  ...everyCloud,
  "computer-use-2024-10-22",
  "dev-full-thinking-2025-05-14",
  "effort-2025-11-24",
  "fine-grained-tool-streaming-2025-05-14",
  "mid-conversation-output-config-2026-07-01",
  "mid-conversation-tool-changes-2026-07-01",
  "output-128k-2025-02-19",
  "token-efficient-tools-2025-02-19",
  "tool-examples-2025-10-29"
]

/** The names that Vertex AI knows. */
export const vertexBetas: ReadonlyArray<string> = [
  ...everyCloud,
  "compact-2026-09-04",
  "per-turn-control-2026-07-01",
  "web-search-2025-03-05"
]

/** What is called otherwise in the clouds. */
const cloudNames: { readonly [name: string]: string } = table({
  "advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19"
})

/** Those of the names in a header that are known. The others are said to be left out. */
export const betasIn = (header: string, known: ReadonlyArray<string>, said: Notices): ReadonlyArray<string> => {
  const asked = header.split(",").flatMap((name) => name.trim() || [])
  const names = asked.map((name) => (known.includes(name) ? name : (cloudNames[name] ?? name)))
  for (const name of names) if (!known.includes(name)) said.dropped(`the beta ${name}`, "the provider does not know it")
  return [...new Set(names)].filter((name) => known.includes(name))
}
