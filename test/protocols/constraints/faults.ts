import { isObject, type JsonObject } from "../../../src/protocols/open-document.ts"

export type Fault = (what: string) => void
export type Check = (body: JsonObject, fault: Fault, model: string) => void

export const list = (value: unknown): ReadonlyArray<JsonObject> => (Array.isArray(value) ? value.filter(isObject) : [])
export const text = (value: unknown): string => (typeof value === "string" ? value : "")

/** What every API says of the names of functions. */
export const nameFaults = (name: unknown, fault: Fault, taken = /^[a-zA-Z0-9_-]{1,64}$/): void => {
  if (!taken.test(text(name))) fault(`the name ${JSON.stringify(name)}`)
}

export const same = (one: ReadonlyArray<unknown>, other: ReadonlyArray<unknown>): boolean =>
  JSON.stringify([...one].toSorted()) === JSON.stringify([...other].toSorted())

export const unique = (ids: ReadonlyArray<unknown>, fault: Fault): void => {
  if (new Set(ids).size < ids.length) fault(`ids twice: ${ids.join()}`)
}
