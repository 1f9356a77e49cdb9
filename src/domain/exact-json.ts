/** How JavaScript tells the text of a number, which TypeScript does not describe yet. */
interface SourceText {
  readonly parse: (text: string, read: (key: string, value: unknown, context: { source: string }) => unknown) => unknown
  readonly rawJSON: (text: string) => { readonly rawJSON: string }
  readonly isRawJSON: (value: unknown) => value is { readonly rawJSON: string }
}
const json = JSON as unknown as SourceText // every version of Node that Effect runs on has it

/** Whether there may be a number that is wider than 53 bits; most texts have none. */
const wide = /[0-9]{16}/

const exactly = (_: string, value: unknown, { source }: { source: string }): unknown =>
  typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) ? json.rawJSON(source) : value

/**
 * As `JSON.parse`, but a whole number that a program's own numbers do not hold, such as an id of 64 bits, stays what it is:
 * it is an opaque value that JSON.stringify writes as it was written. Throws where the text is no JSON.
 */
export const parseExactly = (text: string): unknown => (wide.test(text) ? json.parse(text, exactly) : JSON.parse(text))

/** The number that is nearest to one that was kept as it is written; undefined where a value is no such number. */
export const nearestNumber = (value: unknown): number | undefined =>
  json.isRawJSON(value) ? Number(value.rawJSON) : undefined
