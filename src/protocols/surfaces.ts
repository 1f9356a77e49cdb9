import { anthropicMessagesSurface } from "./anthropic-messages/surface.ts"
import { geminiSurface } from "./gemini/surface.ts"
import { openAiChatSurface } from "./openai-chat/surface.ts"
import { openAiResponsesSurface } from "./openai-responses/surface.ts"
import type { Surfaces } from "./Surface.ts"

/** Every dialect that Millrace answers in. Whoever is not recognised as a caller of another one is answered in the first. */
export const allSurfaces: Surfaces = [
  openAiChatSurface,
  openAiResponsesSurface,
  anthropicMessagesSurface,
  geminiSurface
]
