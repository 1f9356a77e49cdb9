import type { Schema } from "effect"
import type { Finish } from "../domain/LlmEvent.ts"
import type { Extensions } from "../domain/LlmRequest.ts"
import { fieldsOf, type JsonObject } from "./open-document.ts"

/** Fields of a document, some of them perhaps without a value. */
export type Fields = { readonly [key: string]: Schema.Json | undefined }

/** Those of the fields that have a value, be it `null`; undefined where none has. */
export const filled = (fields: Fields): JsonObject | undefined => {
  let kept: Record<string, Schema.Json> | undefined
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) (kept ??= {})[key] = value
  return kept
}

/** The `extensions` that keep what only the format `own` knows; nothing where there is nothing to keep. */
export const extensionsOf =
  (own: string) =>
  (fields: Fields | undefined): { readonly extensions?: Extensions } => {
    const kept = filled(fields ?? {})
    return kept === undefined ? {} : { extensions: { [own]: kept } }
  }

/** What the format `own` says of something beyond what every format says; nothing where another one said it. */
export const ownFields = ({ origin }: Pick<Finish, "origin">, own: string): JsonObject =>
  origin?.protocol === own ? fieldsOf(origin.value) : {}
