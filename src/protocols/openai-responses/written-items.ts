import type { JsonObject } from "../open-document.ts"
import { MessageWriter, WholeWriter, type ItemWriter } from "./item-writers.ts"

type Writers = ReadonlyArray<ItemWriter>

/** The items that are over, in their order. */
export const endedItems = (writers: Writers): ReadonlyArray<JsonObject> =>
  writers
    .filter(({ status }) => status !== "in_progress")
    .toSorted((a, b) => a.index - b.index)
    .map((writer) => writer.item())

/** The item that was announced whole under an id, and is not over. */
export const openWhole = (writers: Writers, id: string): ItemWriter | undefined =>
  writers.find((writer) => writer instanceof WholeWriter && writer.id === id && writer.status === "in_progress")

/** Whether a refusal stands in a message. */
export const holdRefusal = (writers: Writers): boolean =>
  writers.some((writer) => writer instanceof MessageWriter && writer.parts.some(({ refusal }) => refusal))
