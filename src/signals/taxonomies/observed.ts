const jsonKey = /"([^"\\\n]{1,80})"\s*:\s*(?:"?(\d{3})\b"?)?/g
const statusKey = /^(?:http_?)?(?:status|status_?code|code|error_?code)$/i
const errorBegins = /^\s*(?:Traceback|panic:|thread '|Exception in thread)/
const length = 300

/**
 * The part of a tool's answer that would say that something is wrong. Of JSON the keys are left out: `"timeout": 30` is a
 * setting; a key with a status becomes its words, `status 401`. A long answer that is not marked as an error is content
 * and not a message: only its beginning counts, or the end of a stack trace.
 */
export const observed = (text: string, failed: boolean): string => {
  const words = text.replace(jsonKey, (found, key: string, number: string | undefined) =>
    number === undefined ? " ".repeat(found.length) : statusKey.test(key) ? ` status ${number} ` : ` ${number} `
  )
  if (failed || words.length <= 2 * length) return words
  return errorBegins.test(words) ? words.slice(-length) : words.slice(0, length)
}
