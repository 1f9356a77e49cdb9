// Requests and answers are kept as JSON, so a text is looked for as JSON may write it: by whoever wrote it, and once
// more inside a text that is JSON itself, such as the arguments of a tool.

/** Only the letters of ASCII: what else is one letter in two sizes, databases do not agree about. */
const lowered = (text: string): string => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

const escaped = (text: string): string =>
  text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** What a text may look like in what is kept; in lower case, as what it is looked for in has to be. */
export const needlesOf = (text: string): ReadonlyArray<string> => {
  const written = inJson(text)
  const once = [written, escaped(written)].flatMap((form) => [form, form.replaceAll("/", "\\/")])
  return [...new Set([...once, ...once.map(inJson)].map(lowered))]
}

/** How an excerpt begins in the body of a record: within texts of it the quotes would be escaped. */
export const excerptMark = '"excerpt":{"head":"'

/** Whether one of the needles is in what is kept of a document: all of it, else an excerpt in the body of its record. */
export const isFoundIn = (needles: ReadonlyArray<string>, payload: string | null, body: string): boolean => {
  const start = payload === null ? body.indexOf(excerptMark) : 0
  if (start < 0) return false
  const kept = lowered(payload ?? body.slice(start))
  return needles.some((needle) => kept.includes(needle))
}
