import { Schema } from "effect"

/** Why a key could not be made or changed. */
export class KeyRefused extends Schema.TaggedError<KeyRefused>()("KeyRefused", {
  reason: Schema.Literals(["exists", "unknown", "documented", "filters", "expired", "pepper"]),
  message: Schema.String
}) {}

const refused = (reason: KeyRefused["reason"], message: string) => new KeyRefused({ reason, message })

export const alreadyThere = (name: string) => refused("exists", `There is a key ${JSON.stringify(name)} already`)

export const unknown = (name: string) => refused("unknown", `There is no key ${JSON.stringify(name)}`)

export const documented = (name: string) =>
  refused("documented", `The key ${JSON.stringify(name)} stands in the configuration; change it there`)

export const noFilter = (name: string, known: ReadonlyArray<string>) => {
  const there = known.length === 0 ? "none is configured" : `there are ${known.join(", ")}`
  return refused("filters", `There is no filter ${JSON.stringify(name)}; ${there}`)
}

/** Whether a moment of today was given in seconds: in milliseconds it would be in the seventies. */
export const isInSeconds = (moment: number): boolean => moment >= 1e9 && moment < 1e11

/** A key that would never work. */
export const expiredAlready = (expiresAt: number) =>
  refused(
    "expired",
    "The key would have expired already; say a time to come" +
      (isInSeconds(expiresAt) ? ". Times are in milliseconds since 1970, and this one seems to be in seconds" : "")
  )

/** Keys were made with a pepper that is not there any more. */
export const strangers = (names: ReadonlyArray<string>, isConfigured: boolean) => {
  const which = isConfigured
    ? "another pepper than auth.pepper or MILLRACE_KEY_PEPPER says"
    : "a pepper that is not configured any more (auth.pepper, MILLRACE_KEY_PEPPER)"
  return refused(
    "pepper",
    `Keys of the database were made with ${which}, and would not be recognised: ${names.join(", ")}\n` +
      "Configure the one they were made with; if it was changed, after the new one: pepper: [<new>, <old>].\n" +
      "If it is lost, give each of them another secret: millrace keys rotate <name>"
  )
}
