import type { Verdict } from "./Verdict.ts"

/** What each verdict says, which has to be a text. */
const sayings: { readonly [tag in Verdict["_tag"]]: string | undefined } = {
  Pass: undefined,
  Replace: "text",
  Refuse: "reason",
  HandOff: "target",
  Stop: "reason"
}
const sayingOf = new Map(Object.entries(sayings))

/** Whether a value is a verdict, of whoever is asked for one. */
export const isVerdict = (value: unknown): value is Verdict => {
  if (typeof value !== "object" || value === null || !("_tag" in value)) return false
  const tag = String(value._tag)
  const saying = sayingOf.get(tag)
  // What it says stands under that name, whatever it is.
  return saying === undefined ? tag === "Pass" : typeof (value as Record<string, unknown>)[saying] === "string"
}
