import type { LlmRequest } from "../../domain/LlmRequest.ts"
import type { Filter, FilterContext } from "../Filter.ts"
import type { Decisions, TextScanner } from "../TextScanner.ts"
import { textFilter, type TextPlace } from "../textFilter.ts"
import { type Ending, refuse, stop } from "../Verdict.ts"
import type { JsonSchema } from "./json-schema.ts"
import { JsonWatch } from "./JsonWatch.ts"
import { reportOnce } from "./patternFilter.ts"

/** Watches that answers can still become what was asked for. */
export interface WatchJson {
  readonly name: string
  /** what answers are to follow, where the request does not say it itself */
  readonly schema?: JsonSchema
  /** tool calls are watched as well, each by the schema of its tool; not by default */
  readonly tools?: boolean
  readonly action?: "stop" | "refuse"
}

const schemaFor = ({ schema, tools = false }: WatchJson, place: TextPlace, request: LlmRequest): unknown => {
  if (place.kind === "toolArguments") {
    const tool = tools ? request.tools?.find((tool) => tool._tag === "Function" && tool.name === place.tool) : undefined
    return tool?._tag === "Function" ? tool.inputSchema : undefined
  }
  if (place.kind !== "text") return undefined
  const { responseFormat } = request
  return responseFormat?._tag === "JsonSchema" ? responseFormat.schema : schema
}

class WatchScanner implements TextScanner {
  private readonly watch: JsonWatch
  private readonly broken: (reason: string, ended: boolean) => Ending | undefined
  private begun = false

  constructor(schema: JsonSchema, broken: (reason: string, ended: boolean) => Ending | undefined) {
    this.watch = new JsonWatch(schema)
    this.broken = broken
  }

  readonly scan = (text: string, end: boolean, decide: Decisions): Ending | undefined => {
    for (let at = 0; at < text.length; at++) {
      this.begun = true
      if (this.watch.take(text[at]!)) continue
      if (at > 0) decide.keep(at)
      return this.broken(`the answer can no longer follow its schema at ${this.watch.path}`, false)
    }
    decide.keep(text.length)
    if (!end || !this.begun || this.watch.end()) return undefined
    return this.broken("the answer ended before it followed its schema", true)
  }
}

/** A filter that ends an answer as soon as it cannot become valid any more. */
export const watchJson = (settings: WatchJson): Filter => {
  const { name, action = "stop" } = settings
  const broken = (reason: string, ended: boolean, context: FilterContext): Ending | undefined => {
    const refused = action === "refuse"
    const done = refused ? "refused" : ended ? "observed" : "stopped"
    reportOnce(context, { filter: name, phase: "answer", category: "schema", severity: "medium", action: done })
    // An answer that has ended anyway has said why.
    return refused ? refuse(reason) : ended ? undefined : stop(reason)
  }
  return textFilter({
    name,
    sides: ["answer"],
    scanner: (place, context, request) => {
      const schema = schemaFor(settings, place, request)
      // A schema is an object or a boolean; what is neither says nothing.
      if (typeof schema !== "boolean" && (typeof schema !== "object" || schema === null)) return undefined
      return new WatchScanner(schema as JsonSchema, (reason, ended) => broken(reason, ended, context))
    }
  })
}
