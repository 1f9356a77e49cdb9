import { createHash } from "node:crypto"

const length = 9

/** Whether a server that takes only short ids of tool calls takes this one. */
export const isShortId = (id: string): boolean => id.length === length && /^[a-z\d]*$/i.test(id)

/** A short id in the place of any other: the same for the same id, so that calls and results still find each other. */
export const shortId = (id: string): string =>
  isShortId(id)
    ? id
    : BigInt(`0x${createHash("sha256").update(id).digest("hex")}`)
        .toString(36)
        .slice(-length)
