import type { SimulatedDialect, SimulatedSurface } from "../SimulatedDialect.ts"
import { simulatedCohere } from "./cohere.ts"
import { simulatedCompletions } from "./completions.ts"
import { simulatedConverse } from "./converse.ts"
import { cohereEmbed, ollamaEmbed } from "./embeddings.ts"
import { simulatedInteractions } from "./interactions.ts"
import { simulatedInvokeAnthropic } from "./invoke-anthropic.ts"
import { simulatedOllama } from "./ollama.ts"

/** A format that has one path, everything else being in the body. */
const at = (path: string, dialect: SimulatedDialect): SimulatedSurface => ({
  dialect,
  paths: [{ path, actionOf: () => ({ _tag: "Generate", dialect }) }]
})

/** Amazon Bedrock: `/model/<id>/<operation>`, where the id may have slashes. */
const bedrock: SimulatedSurface = {
  dialect: simulatedConverse,
  paths: [
    {
      path: "/model/*",
      actionOf: (rest) => {
        const slash = rest.lastIndexOf("/")
        const model = rest.slice(0, slash)
        if (slash < 1) return undefined
        switch (rest.slice(slash + 1)) {
          case "converse":
            return { _tag: "Generate", dialect: simulatedConverse, path: { model, delivery: "whole" } }
          case "converse-stream":
            return { _tag: "Generate", dialect: simulatedConverse, path: { model, delivery: "stream" } }
          case "invoke":
            return { _tag: "Generate", dialect: simulatedInvokeAnthropic, path: { model, delivery: "whole" } }
          case "invoke-with-response-stream":
            return { _tag: "Generate", dialect: simulatedInvokeAnthropic, path: { model, delivery: "stream" } }
          default:
            return undefined
        }
      }
    }
  ]
}

const cohere: SimulatedSurface = {
  dialect: simulatedCohere,
  paths: [
    { path: "/v2/chat", actionOf: () => ({ _tag: "Generate", dialect: simulatedCohere }) },
    { path: "/v2/embed", actionOf: () => cohereEmbed }
  ],
  listing: {
    path: "/v1/models",
    recognises: (query) => query.has("page_size"),
    render: (models) => ({ models: models.map((name) => ({ name, endpoints: ["chat", "embed"] })) })
  }
}

const ollama: SimulatedSurface = {
  dialect: simulatedOllama,
  paths: [
    { path: "/api/chat", actionOf: () => ({ _tag: "Generate", dialect: simulatedOllama }) },
    { path: "/api/embed", actionOf: () => ollamaEmbed }
  ],
  listing: {
    path: "/api/tags",
    recognises: () => true,
    render: (models) => ({ models: models.map((name) => ({ name, model: name })) })
  }
}

/** The formats that providers are called by and callers of Millrace have no use for. */
export const furtherSurfaces: ReadonlyArray<SimulatedSurface> = [
  at("/v1/completions", simulatedCompletions),
  ollama,
  cohere,
  at("/v1beta/interactions", simulatedInteractions),
  bedrock
]
