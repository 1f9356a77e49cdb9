import type { Started } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import { sseFrame } from "../../wire/Sse.ts"
import type { RenderContext } from "../Dialect.ts"
import type { JsonObject } from "../open-document.ts"

/**
 * Writes the chunks of one stream. What is the same in all of them is written once: a piece of text costs no more than
 * its own JSON.
 */
export class ChunkWriter {
  private head: string
  private textStart = ""
  private readonly context: RenderContext

  constructor(context: RenderContext) {
    this.context = context
    this.head = ""
    this.name({})
  }

  /** The provider named itself. */
  name({ id, model, created, serviceTier }: Partial<Started>): void {
    const { context } = this
    const fields = {
      id: id || context.id,
      object: "chat.completion.chunk",
      created: created ?? context.created,
      model: model || context.request.model,
      ...present({ service_tier: serviceTier })
    }
    this.head = JSON.stringify(fields).slice(0, -1)
    this.textStart = `data: ${this.head},"choices":[{"index":0,"delta":{"content":`
  }

  /** A piece of the first answer's text: the one thing that is done for every token. */
  text(text: string): string {
    return this.textStart + JSON.stringify(text) + '},"logprobs":null,"finish_reason":null}]}\n\n'
  }

  /** A piece of an answer. Every choice has a delta, the one that ends it too: there are clients that insist on it. */
  delta(index: number, delta: JsonObject, finish: string | null = null, logprobs: JsonObject | null = null): string {
    return this.chunk({ choices: [{ index, delta, logprobs, finish_reason: finish }] })
  }

  /** The end of an answer, with what is said of it as a whole. */
  end(index: number, finish: string, said: JsonObject): string {
    return this.chunk({ ...said, choices: [{ index, delta: {}, logprobs: null, finish_reason: finish }] })
  }

  usage(usage: JsonObject): string {
    return this.chunk({ choices: [], usage })
  }

  private chunk(fields: JsonObject): string {
    return sseFrame(`${this.head},${JSON.stringify(fields).slice(1)}`)
  }
}
