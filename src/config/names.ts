import { Buffer } from "node:buffer"
import type { Finding, Path } from "./problems.ts"
import { isSection } from "./substitute.ts"

type Section = { readonly [key: string]: unknown }

const named = (root: Section, section: string): ReadonlyArray<string> =>
  isSection(root[section]) ? Object.keys(root[section]) : []

// Requests that name a longer one are refused.
const longest = 512

// Names stand in headers, lines of logs and tables.
const isName = (name: string): boolean =>
  name.trim() !== "" && !/\p{Cc}/u.test(name) && Buffer.byteLength(name) <= longest

/** Names that the document gives, by which nobody could ask for something, or know it again. */
export const checkGivenNames = (root: Section): ReadonlyArray<Finding> => [
  ...named(root, "providers").flatMap((name) =>
    /^[A-Za-z0-9][\w.-]*$/.test(name)
      ? []
      : [
          {
            path: ["providers", name],
            message:
              "is no name for a provider; use letters, digits, '.', '_' and '-', so that <provider>/<model> is clear"
          }
        ]
  ),
  ...["models", "filters", "analyzers"].flatMap((section) =>
    named(root, section).flatMap((name) =>
      isName(name)
        ? []
        : [{ path: [section, name], message: `is no name; use one of up to ${longest} bytes, without line breaks` }]
    )
  )
]

/** What HTTP cannot say in a header. */
const unsayable = /[^\t\x20-\x7e\x80-\xff]/

/** Whether a text can be the value of a header. */
export const isHeaderValue = (value: string): boolean => !unsayable.test(value)

// They say how a request is sent, which is not for anybody else to say.
const ofConnection = new Set(["connection", "content-length", "keep-alive", "te", "transfer-encoding", "upgrade"])

/** Headers that cannot be sent. */
export const checkHeaders = (path: Path, headers: unknown): ReadonlyArray<Finding> =>
  Object.entries(isSection(headers) ? headers : {}).flatMap(([name, value]): ReadonlyArray<Finding> => {
    const at = [...path, name]
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      return [{ path: at, message: "is no name of a header; use letters, digits and '-'" }]
    if (ofConnection.has(name.toLowerCase())) return [{ path: at, message: "is made with each request; remove it" }]
    return typeof value !== "string" || isHeaderValue(value)
      ? []
      : [{ path: at, message: "has a line break in it, or a sign that no header can have; remove that" }]
  })
