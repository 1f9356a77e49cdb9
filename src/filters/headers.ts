import type { Filter } from "./Filter.ts"

/** Names of headers that let somebody in: no filter is ever told them. */
export const isCredential = (name: string): boolean =>
  /^(?:authorization|proxy-authorization|cookie|set-cookie)$|api-?key|token|secret|password|credential/i.test(name)

/** The request headers that any of the filters wants to see, lower case, without those that let somebody in. */
export const headersWanted = (filters: Iterable<Filter>): ReadonlyArray<string> => {
  const names = Array.from(filters).flatMap(({ headers = [] }) => headers.map((name) => name.toLowerCase()))
  return Array.from(new Set(names)).filter((name) => !isCredential(name))
}

/** Those of the headers that have one of the names. */
export const pickHeaders = (
  headers: { readonly [name: string]: string | undefined },
  names: ReadonlyArray<string>
): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return value === undefined ? [] : [[name, value]]
    })
  )
