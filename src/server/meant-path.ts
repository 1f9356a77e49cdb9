import { restOfPath, type Surfaces } from "../protocols/Surface.ts"

/** So many parts of a path, from its end, are looked at: none of those that SDKs ask for has more. */
const maxParts = 8

const noQuery = new URLSearchParams()

/**
 * The path that was meant by a client whose base URL has too much in it, or too little: `/openai/v1/chat/completions`,
 * `//v1/messages`, `/chat/completions`. Undefined where nothing that SDKs ask for is like it.
 */
export const meantPath = (surfaces: Surfaces, method: string, path: string): string | undefined => {
  const isServed = (candidate: string): boolean =>
    surfaces.some(({ modelsPath, paths }) =>
      method === "GET"
        ? candidate === modelsPath
        : paths.some((own) => {
            const rest = restOfPath(own.path, candidate)
            return rest !== undefined && own.actionOf(rest, noQuery) !== undefined
          })
    )
  const parts = path.split("/").filter((part) => part !== "")
  const versions = new Set(surfaces.map(({ modelsPath }) => `/${modelsPath.split("/")[1]}`))
  for (let at = Math.max(0, parts.length - maxParts); at < parts.length; at++) {
    const rest = `/${parts.slice(at).join("/")}`
    const meant = ["", ...versions].map((version) => version + rest).find(isServed)
    if (meant !== undefined && meant !== path) return meant
  }
  return undefined
}
