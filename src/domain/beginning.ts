/** The beginning of a text, at most so many characters (code points) of it, none of them cut in two. */
export const beginningOf = (text: string, length: number): string =>
  // Twice as many code units hold at least as many characters.
  text.length <= length
    ? text
    : Array.from(text.slice(0, 2 * length))
        .slice(0, length)
        .join("")
