/** How long it takes a peak to be forgotten, in milliseconds. */
const decay = 10_000

/**
 * How slow a target is, in milliseconds: a moving average that follows every rise at once and every fall slowly, and fades
 * while nobody asks, so that a target that was slow once is tried again.
 */
export class Latency {
  private cost = 0
  private at = 0

  /** Takes in how long the first content took. */
  observe(millis: number, now: number): void {
    const faded = Math.exp(-Math.max(0, now - this.at) / decay)
    this.cost = millis > this.cost ? millis : this.cost * faded + millis * (1 - faded)
    this.at = now
  }

  /** The average as it has faded by now; 0 where nothing was measured. */
  read(now: number): number {
    return this.cost * Math.exp(-Math.max(0, now - this.at) / decay)
  }
}
