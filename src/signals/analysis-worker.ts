// The thread that reads conversations: it takes milliseconds that the streams of other calls must not wait for.
import { parentPort, workerData } from "node:worker_threads"
import type { AnalysisAnswer, AnalysisRequest, AnalysisSetup, Job } from "./analysis-messages.ts"
import { analyze } from "./analyze.ts"
import { taxonomies } from "./built-in.ts"
import { makeLexicon } from "./Lexicon.ts"
import { type Memory, noMemory } from "./Watermark.ts"

const port = parentPort
if (port === null) throw new Error("analysis-worker runs as a worker thread")

// what it is started with is typed where it is started
const setup = workerData as AnalysisSetup
const reading = { taxonomy: taxonomies[setup.taxonomy], lexicon: makeLexicon(setup.packs) }

const read = ({ continues, conversation, key }: Job, memories: Map<string, Memory>) => {
  // one conversation that cannot be read must not keep the others from being read
  try {
    const { memory, ...analysis } = analyze(conversation, memories.get(key) ?? noMemory, reading, continues)
    memories.set(key, memory)
    return analysis
  } catch {
    return undefined
  }
}

port.on("message", ({ id, jobs, memories: known }: AnalysisRequest) => {
  const memories = new Map(known)
  const analyses = jobs.map((job) => read(job, memories))
  port.postMessage({ id, analyses, memories } satisfies AnalysisAnswer)
})
