import type { CacheMarker, Extensions } from "../../domain/LlmRequest.ts"
import { anthropicMessagesId } from "../anthropic-messages/wire.ts"
import { bounded } from "../bounded.ts"
import { CallIds, plainCallId } from "../CallIds.ts"
import { Encoding } from "../Encoding.ts"
import type { JsonObject } from "../open-document.ts"
import type { ModelTraits } from "./models.ts"
import { bedrockConverseId } from "./wire.ts"

const longestName = 200
const longestCallId = 64

/** A request of this API while it is made, for a model of known traits. */
export class ConverseEncoding extends Encoding {
  readonly traits: ModelTraits
  readonly callIds = new CallIds((id) => bounded(plainCallId(id), longestCallId))
  private readonly names = new Set<string>()
  /** which number a name had last that several documents want */
  private readonly numbers = new Map<string, number>()

  constructor(traits: ModelTraits) {
    super(bedrockConverseId, "the Converse API")
    this.traits = traits
  }

  /** A name that the API takes (letters, digits, single spaces, `-()[]`), and that no other document of the request has. */
  documentName(filename: string | undefined): string {
    const plain = (filename ?? "document").replace(/\.[a-zA-Z0-9]{1,5}$/, "").replaceAll(/[^a-zA-Z0-9\s()[\]-]/g, "-")
    const base =
      plain
        .replaceAll(/\s+/g, " ")
        .trim()
        .slice(0, longestName - 4) || "document"
    let name = base
    let number = this.numbers.get(base) ?? 1
    while (this.names.has(name)) name = `${base} ${++number}`
    this.numbers.set(base, number)
    this.names.add(name)
    return name
  }

  /** Extensions without those fields of the Messages API that Claude takes here too. */
  withoutClaude(extensions: Extensions | undefined, fields: ReadonlyArray<string>): Extensions | undefined {
    const { [anthropicMessagesId]: own, ...others } = extensions ?? {}
    if (own === undefined || this.traits.family !== "claude") return extensions
    const left = Object.entries(own).filter(([field]) => !fields.includes(field))
    return { ...others, [anthropicMessagesId]: Object.fromEntries(left) }
  }

  /** The point after which the prompt may be cached, where a marker stands and the model knows them there. */
  cachePoint(cache: CacheMarker | undefined, behind: "words" | "tools"): ReadonlyArray<JsonObject> {
    if (cache === undefined) return []
    const { family, caching } = this.traits
    if (caching === "none") {
      this.dropped("a cache marker", "the model caches prompts by itself or not at all")
      return []
    }
    if (family === "nova" && behind === "tools") {
      this.dropped("a cache marker", "Nova refuses them behind tools, their calls and results")
      return []
    }
    // Five minutes is what goes without saying, also to models that know nothing else.
    const { ttl = "5m" } = cache
    const isLong = ttl === "1h" && caching === "long"
    if (ttl !== "5m" && !isLong) this.add("changed", `a cache marker for ${ttl} is one for 5m`)
    return [{ cachePoint: { type: "default", ...(isLong ? { ttl } : {}) } }]
  }
}
