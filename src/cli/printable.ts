const shown = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/**
 * What callers and models said, for a terminal, which takes control characters for commands: these are written out, but
 * for line breaks and tabs.
 */
export const printable = (text: string): string =>
  text.replaceAll("\r\n", "\n").replaceAll(/[^\P{Cc}\n\t]|\p{Bidi_Control}/gu, shown)

/** The same as a piece of a line. */
export const printableLine = (text: string): string => printable(text).replaceAll(/[\n\t]/g, " ")
