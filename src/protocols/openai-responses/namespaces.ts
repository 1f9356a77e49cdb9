import type { Extensions, Tool } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { bounded } from "../bounded.ts"
import { mark } from "../foreign-fields.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { ownExtension } from "./extension.ts"

/** Where a tool stands: in which namespace, as the request describes it, and its name there. */
export interface Place {
  readonly namespace: JsonObject
  readonly name: string
}

/** Others get all that they stand for: they make up the name of the tool. */
const spaceMark = mark("namespace")
const nameMark = mark("name")
/** What others have no place for. */
const lost = "namespace.description"

/** What every provider takes for the length of a name. */
const longest = 64

/**
 * The name of a tool in a namespace, for providers that know no namespaces. The tools of an MCP server are given so by
 * clients, which want both names back with a call. A tool has the same name in every turn.
 */
export const qualifiedName = (namespace: string, name: string): string =>
  bounded(namespace.endsWith("__") ? namespace + name : `${namespace}__${name}`, longest)

/** What is kept of the place of a tool or a call. */
export const placed = ({ namespace, name }: Place): JsonObject => ({
  [spaceMark]: namespace,
  [nameMark]: name,
  ...present({ [lost]: namespace["description"] || undefined })
})

/** The name of a called tool. The API puts tools that it found by a search into namespaces that nobody declared. */
export const nameOfCall = ({ namespace, name }: Place, tools: ReadonlyArray<Tool>): string => {
  const qualified = qualifiedName(String(namespace["name"]), name)
  return tools.some((tool) => tool.name === qualified) ? qualified : name
}

/** The place of a tool or a call, and what else was kept of it. */
export const takePlace = (own: JsonObject): { readonly place: Place | undefined; readonly rest: JsonObject } => {
  const { [spaceMark]: namespace, [nameMark]: name, [lost]: _, ...rest } = own
  return isObject(namespace) && typeof name === "string"
    ? { place: { namespace, name }, rest }
    : { place: undefined, rest: own }
}

const placeIn = (extensions: Extensions | undefined): Place | undefined => takePlace(ownExtension(extensions)).place

/** The place of the tool with this name, where it has one. */
export const placeOfTool = (name: string, tools: ReadonlyArray<Tool> | undefined): Place | undefined => {
  const tool = tools?.find((tool) => tool.name === name)
  return tool?._tag === "Function" ? placeIn(tool.extensions) : undefined
}

/** The tool that a choice names, which need not say in which namespace it stands. */
export const chosenTool = (name: string, tools: ReadonlyArray<Tool> | undefined): string => {
  if (tools === undefined || tools.some((tool) => tool.name === name)) return name
  return tools.find((tool) => tool._tag === "Function" && placeIn(tool.extensions)?.name === name)?.name ?? name
}

/** The tools as they were declared: those of a namespace together, where the first of them stands. */
export const inNamespaces = (
  tools: ReadonlyArray<Tool>,
  encode: (tool: Tool) => ReadonlyArray<JsonObject>
): ReadonlyArray<JsonObject> => {
  const groups = new Map<unknown, Array<JsonObject>>()
  return tools.flatMap((tool) => {
    const place = tool._tag === "Function" ? placeIn(tool.extensions) : undefined
    if (place === undefined) return encode(tool)
    const { namespace } = place
    const group = groups.get(namespace["name"])
    if (group !== undefined) {
      group.push(...encode(tool))
      return []
    }
    const members = [...encode(tool)]
    groups.set(namespace["name"], members)
    return [{ ...namespace, tools: members }]
  })
}
