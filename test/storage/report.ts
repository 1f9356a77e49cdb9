import { writeSync } from "node:fs"

/**
 * Writes a line to the standard output before it returns, so that what was reported was so even where the process is
 * killed in the next moment. A pipe that is full for now says EAGAIN: its reader only has to catch up.
 */
export const report = (line: string): void => {
  const bytes = Buffer.from(`${line}\n`)
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes, written)
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error
    }
  }
}
