// The thread that reads long conversations: they take milliseconds that the streams of other calls must not wait for.
import { parentPort, workerData } from "node:worker_threads"
import type { AnalysisAnswer, AnalysisRequest, AnalysisSetup } from "./analysis-messages.ts"
import { type Analysis, analyze } from "./analyze.ts"
import { taxonomies } from "./built-in.ts"
import { makeLexicon } from "./Lexicon.ts"

const port = parentPort
if (port === null) throw new Error("analysis-worker runs as a worker thread")

// what it is started with is typed where it is started
const setup = workerData as AnalysisSetup
const reading = { taxonomy: taxonomies[setup.taxonomy], lexicon: makeLexicon(setup.packs) }

const read = ({ continues, conversation, memory }: AnalysisRequest): Analysis | undefined => {
  // one conversation that cannot be read must not keep the others from being read
  try {
    return analyze(conversation, memory, reading, continues)
  } catch {
    return undefined
  }
}

port.on("message", (request: AnalysisRequest) => {
  port.postMessage({ id: request.id, analysis: read(request) } satisfies AnalysisAnswer)
})
