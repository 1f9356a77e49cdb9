import { isObject } from "./open-document.ts"

/** The text at `field` of every entry of a list of models; undefined where there is no list. */
export const modelIds = (list: unknown, field: string): ReadonlyArray<string> | undefined =>
  Array.isArray(list)
    ? list.flatMap((entry) => {
        const id = isObject(entry) ? entry[field] : undefined
        return typeof id === "string" && id !== "" ? [id] : []
      })
    : undefined
