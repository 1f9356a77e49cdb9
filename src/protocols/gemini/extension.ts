import type { Extensions } from "../../domain/LlmRequest.ts"
import { extensionsOf } from "../extensions.ts"
import { mark } from "../foreign-fields.ts"
import type { JsonObject } from "../open-document.ts"
import { geminiId } from "./wire.ts"

/** Marks thinking that was asked for in this format, so that it is not taken for what another one leaves to the target. */
export const statedThinking = mark("thinkingConfig")

/** Marks the answer of a function that stood beside the function's name. */
export const wrappedWithName = mark("wrappedWithName")

/** The `extensions` that keep what only this format knows. */
export const extended = extensionsOf(geminiId)

/** What this format kept in `extensions`. */
export const ownExtension = (extensions: Extensions | undefined): JsonObject => extensions?.[geminiId] ?? {}
