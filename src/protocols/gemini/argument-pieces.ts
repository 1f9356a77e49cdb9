import { isObject, type JsonObject } from "../open-document.ts"

type Segment = string | number

const segmentPattern = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y

/** The steps of a path such as `$.places[0].name`, or undefined where it is none. */
const parsePath = (path: string): ReadonlyArray<Segment> | undefined => {
  if (!path.startsWith("$")) return undefined
  const segments: Array<Segment> = []
  segmentPattern.lastIndex = 1
  while (segmentPattern.lastIndex < path.length) {
    const match = segmentPattern.exec(path)
    if (match === null) return undefined
    const [, name, index, single, double] = match
    segments.push(index === undefined ? (name ?? (single ?? double ?? "").replaceAll(/\\(.)/g, "$1")) : Number(index))
  }
  return segments.length === 0 || typeof segments[0] === "number" ? undefined : segments
}

const sharedLength = (one: ReadonlyArray<Segment>, other: ReadonlyArray<Segment>): number => {
  let length = 0
  while (length < one.length && length < other.length && one[length] === other[length]) length++
  return length
}

const valueText = ({ stringValue, numberValue, boolValue, nullValue }: JsonObject): string => {
  if (typeof stringValue === "string") return JSON.stringify(stringValue)
  if (typeof numberValue === "number") return JSON.stringify(numberValue)
  if (typeof boolValue === "boolean") return String(boolValue)
  return nullValue === undefined ? '""' : "null"
}

/**
 * Writes the arguments of a call as JSON text from pieces that each name where in the arguments they belong, in the order
 * of the text that the model wrote. A string may come in several pieces.
 */
export class ArgumentPieces {
  /** the path to the value that was written last: all objects and arrays on it are open */
  private path: ReadonlyArray<Segment> = []
  /** the names that each open object has so far */
  private readonly names: Array<Set<Segment>> = []
  private inString = false

  /** The text of a piece; undefined where it cannot belong to what was written before. */
  write(piece: unknown): string | undefined {
    if (!isObject(piece) || typeof piece["jsonPath"] !== "string") return undefined
    const path = parsePath(piece["jsonPath"])
    if (path === undefined) return undefined
    const continued = this.inString && sharedLength(path, this.path) === Math.max(path.length, this.path.length)
    const place = continued ? "" : this.moveTo(path)
    if (place === undefined) return undefined
    const value = valueText(piece)
    const goesOn = piece["willContinue"] === true && value.startsWith('"')
    if (continued && !value.startsWith('"')) return undefined
    this.inString = goesOn
    return place + value.slice(continued ? 1 : 0, goesOn ? -1 : undefined)
  }

  /** The text that closes what is open; nothing where nothing was written. */
  end(): string {
    const text = this.closeString() + this.close(0)
    this.path = []
    return text
  }

  /** Closes what does not lie on the way, opens what does. */
  private moveTo(path: ReadonlyArray<Segment>): string | undefined {
    const shared = sharedLength(path, this.path)
    if (this.path.length > 0 && (shared === path.length || shared === this.path.length)) return undefined
    let text = this.closeString() + (this.path.length === 0 ? "" : `${this.close(shared + 1)},`)
    for (const [depth, segment] of path.entries()) {
      if (depth < shared) continue
      const opens = depth > shared || this.path.length === 0
      if (opens) {
        text += typeof segment === "number" ? "[" : "{"
        this.names.push(new Set())
      }
      const names = this.names[depth]
      const fits = typeof segment === "number" ? segment === names?.size : names?.has(segment) === false
      if (!fits || names === undefined) return undefined
      if (!opens && typeof segment !== typeof this.path[depth]) return undefined
      names.add(segment)
      if (typeof segment === "string") text += `${JSON.stringify(segment)}:`
    }
    this.path = path
    return text
  }

  private closeString(): string {
    const text = this.inString ? '"' : ""
    this.inString = false
    return text
  }

  /** Closes the objects and arrays from a depth on, the innermost first. */
  private close(depth: number): string {
    let text = ""
    for (let at = this.path.length - 1; at >= depth; at--) {
      text += typeof this.path[at] === "number" ? "]" : "}"
      this.names.pop()
    }
    return text
  }
}
