import { Result } from "effect"
import * as Json from "./json-schema.ts"

/** A value that is being written: where it stands, and the ways in which it can still be valid. */
interface Open {
  readonly kind: "object" | "array"
  ways: Json.Alternatives
  readonly names: Set<string>
  items: number
  name: string
}

/** What may come next. */
type Expecting = "value" | "value or end" | "name" | "name or end" | "colon" | "comma or end" | "nothing"

const blank = " \n\r\t"

/**
 * Reads JSON that is being written and knows, character by character, whether it can still become a value that follows a
 * schema. What it does not understand of a schema it lets pass: it never stops what could have been valid.
 */
export class JsonWatch {
  private readonly schema: Json.JsonSchema
  private readonly stack: Array<Open> = []
  private expecting: Expecting = "value"
  private ways: Json.Alternatives
  private token: "none" | "string" | "name" | "word" = "none"
  private text = ""
  /** the last character of a word */
  private last = ""
  private escape = ""
  private decoded = ""

  constructor(schema: Json.JsonSchema) {
    this.schema = schema
    this.ways = Json.alternativesOf(schema, schema)
  }

  /** Whether the value is complete. */
  get isComplete(): boolean {
    return this.expecting === "nothing" && this.token === "none"
  }

  /** Where the value is that is being written: `$.items[2].name`. */
  get path(): string {
    return `$${this.stack.map(({ kind, items, name }) => (kind === "array" ? `[${Math.max(0, items - 1)}]` : `.${name}`)).join("")}`
  }

  /** Takes one code unit; false where nothing valid can come of it any more. */
  take(character: string): boolean {
    switch (this.token) {
      case "string":
      case "name":
        return this.takeInString(character)
      case "word":
        if (/[\w.+-]/.test(character)) return this.takeInWord(character)
        return this.endWord() && this.takeBetween(character)
      case "none":
        return this.takeBetween(character)
    }
  }

  /** The text is over. */
  end(): boolean {
    return (this.token !== "word" || this.endWord()) && this.isComplete
  }

  private takeBetween(character: string): boolean {
    if (blank.includes(character)) return true
    const { expecting } = this
    if (character === "}" || character === "]") return this.close(character === "}" ? "object" : "array")
    switch (expecting) {
      case "value":
      case "value or end":
        return this.beginValue(character)
      case "name":
      case "name or end":
        if (character !== '"') return false
        this.begin("name", "")
        return true
      case "colon":
        this.expecting = "value"
        return character === ":"
      case "comma or end":
        this.expecting = this.stack.at(-1)?.kind === "object" ? "name" : "value"
        return character === ","
      case "nothing":
        return false
    }
  }

  private begin(token: "string" | "name" | "word", text: string): void {
    this.token = token
    this.text = text
    this.decoded = ""
    this.escape = ""
  }

  private beginValue(character: string): boolean {
    const parent = this.stack.at(-1)
    if (parent?.kind === "array") {
      parent.ways = Json.withItem(parent.ways, parent.items)
      this.ways = Json.itemOf(parent.ways, parent.items, this.schema)
      parent.items++
    }
    if (character === "{" || character === "[") {
      const kind = character === "{" ? "object" : "array"
      this.ways = Json.ofType(this.ways, kind)
      this.stack.push({ kind, ways: this.ways, names: new Set(), items: 0, name: "" })
      this.expecting = kind === "object" ? "name or end" : "value or end"
      return this.ways.length > 0
    }
    if (character === '"') {
      this.begin("string", "")
      this.ways = Json.ofType(this.ways, "string")
      return this.ways.length > 0
    }
    this.begin("word", "")
    return this.takeInWord(character)
  }

  private takeInWord(character: string): boolean {
    // A digit after another one changes nothing, once no zero leads: numbers without an end are read once.
    const goesOn = this.text.length > 2 && isDigit(this.last) && isDigit(character)
    this.text += character
    this.last = character
    if (goesOn) return true
    const { text } = this
    if (/^-?[0-9]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?$/.test(text)) {
      this.ways = Json.ofType(this.ways, "number")
      return !/^-?0[0-9]/.test(text) && this.ways.length > 0
    }
    const word = ["true", "false", "null"].find((word) => word.startsWith(text))
    if (word === undefined) return false
    this.ways = Json.ofType(this.ways, word === "null" ? "null" : "boolean")
    return this.ways.length > 0
  }

  private endWord(): boolean {
    const value = parsed(this.text)
    return value !== undefined && this.complete(value)
  }

  private takeInString(character: string): boolean {
    if (this.escape === "" && character === '"') return this.endString()
    if (this.escape === "" && character !== "\\") {
      if (character < " ") return false
      return this.add(character)
    }
    this.escape += character
    if (this.escape.length < 2 || (this.escape[1] === "u" && this.escape.length < 6)) return true
    const decoded = parsed(`"${this.escape}"`)
    this.escape = ""
    return typeof decoded === "string" && this.add(decoded)
  }

  private add(decoded: string): boolean {
    this.decoded += decoded
    if (this.token === "name") return true
    this.ways = Json.withPrefix(this.ways, this.decoded)
    return this.ways.length > 0
  }

  private endString(): boolean {
    if (this.token === "string") return this.complete(this.decoded)
    this.token = "none"
    this.expecting = "colon"
    const object = this.stack.at(-1)
    if (object === undefined) return false
    object.name = this.decoded
    object.names.add(this.decoded)
    object.ways = Json.withProperty(object.ways, this.decoded)
    this.ways = Json.propertyOf(object.ways, this.decoded, this.schema)
    return object.ways.length > 0
  }

  private complete(value: string | number | boolean | null): boolean {
    this.token = "none"
    this.expecting = this.stack.length === 0 ? "nothing" : "comma or end"
    return Json.withValue(this.ways, value).length > 0
  }

  private close(kind: Open["kind"]): boolean {
    const open = this.stack.pop()
    const { expecting } = this
    this.expecting = this.stack.length === 0 ? "nothing" : "comma or end"
    if (open?.kind !== kind || (expecting !== "comma or end" && !expecting.endsWith(" or end"))) return false
    return Json.complete(open.ways, open.names, open.items).length > 0
  }
}

const isDigit = (character: string): boolean => character >= "0" && character <= "9"

const parsed = (text: string): string | number | boolean | null | undefined =>
  // The callers give it what can only be one of these.
  Result.getOrUndefined(Result.try(() => JSON.parse(text) as string | number | boolean | null))
