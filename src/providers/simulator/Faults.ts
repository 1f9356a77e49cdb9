import type { Fault } from "./Fault.ts"
import type { SimulatedModel } from "./ModelName.ts"
import type { Script } from "./Script.ts"

/** How many models with a limited fault are remembered; the oldest is forgotten first, and fails anew. */
const mostRemembered = 1000

/** Which faults are still to come, where a model recovers after some (`times`). One for each simulator. */
export class Faults {
  private readonly struck = new Map<string, number>()

  /** The fault that hits this request, if one does. Counts it. */
  next(model: SimulatedModel): Fault | undefined {
    const { fault, times } = model.options
    if (fault === undefined || times === undefined) return fault
    const count = this.struck.get(model.name) ?? 0
    if (count >= times) return undefined
    this.struck.delete(model.name)
    this.struck.set(model.name, count + 1)
    const [oldest] = this.struck.keys()
    if (this.struck.size > mostRemembered && oldest !== undefined) this.struck.delete(oldest)
    return fault
  }

  /** Forgets what was counted: every fault strikes anew. */
  reset(): void {
    this.struck.clear()
  }
}

/**
 * The part of a script that comes before a fault: nothing, or the first step and so many with content. The ending is
 * never in it.
 */
export const stepsBefore = (script: Script, after: number): Script => ({
  headMs: script.headMs,
  steps: after === 0 ? [] : script.steps.slice(0, Math.min(after + 1, script.steps.length - 1))
})
