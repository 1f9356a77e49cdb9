import type { Delivery } from "../../domain/LlmRequest.ts"
import type { Framing } from "./Framing.ts"

/** An answer as it once stood on a wire: exact bytes, with the status and content type it came with. */
export interface Recording {
  readonly delivery: Delivery
  readonly status: number
  readonly contentType: string
  /** of a stream: how its frames are told apart */
  readonly framing: Framing
  readonly bytes: Buffer
}
