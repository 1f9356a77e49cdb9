import { anthropicMessagesSurface } from "../protocols/anthropic-messages/surface.ts"
import { geminiSurface } from "../protocols/gemini/surface.ts"
import { openAiChatSurface } from "../protocols/openai-chat/surface.ts"
import { openAiResponsesSurface } from "../protocols/openai-responses/surface.ts"
import type { Surfaces } from "./Route.ts"

/** Every dialect that Millrace answers in. Whoever is not recognised as a caller of another one is answered in the first. */
export const allSurfaces: Surfaces = [
  openAiChatSurface,
  openAiResponsesSurface,
  anthropicMessagesSurface,
  geminiSurface
]
