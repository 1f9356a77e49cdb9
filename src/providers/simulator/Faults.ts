import type { Fault } from "./Fault.ts"
import type { Options } from "./Options.ts"
import type { Script } from "./Script.ts"

/** How many models with a limited fault are remembered; the oldest is forgotten first, and fails anew. */
const mostRemembered = 1000

/** Which faults are still to come, where a model recovers after some (`times`). One for each simulator. */
export class Faults {
  private readonly struck = new Map<string, number>()

  /** The fault that hits this request to the model of this name, if one does. Counts it. */
  next(model: string, { fault, times }: Options): Fault | undefined {
    if (fault === undefined || times === undefined) return fault
    const count = this.struck.get(model) ?? 0
    if (count >= times) return undefined
    this.struck.delete(model)
    this.struck.set(model, count + 1)
    const [oldest] = this.struck.keys()
    if (this.struck.size > mostRemembered && oldest !== undefined) this.struck.delete(oldest)
    return fault
  }

  /** Forgets what was counted: every fault strikes anew. */
  reset(): void {
    this.struck.clear()
  }
}

/** How many steps of a script come before a fault: none, or the first and so many with content, never the ending. */
export const stepsBefore = (script: Script, after: number): number =>
  after === 0 ? 0 : Math.min(after + 1, script.steps.length - 1)
