/** Names that are each given once: one that was given before goes on with a number. */
export class DistinctNames {
  private readonly form: (name: string) => string
  private readonly given: Set<string>
  private readonly times = new Map<string, number>()

  /** `form` brings a name with a number into the form that is wanted; `given` are names that are in use already. */
  constructor(form: (name: string) => string, given: Iterable<string> = []) {
    this.form = form
    this.given = new Set(given)
  }

  /** A name that nobody else is given. */
  distinct(name: string): string {
    let once = name
    // Where many have one name, the numbers that are taken are not tried again.
    let times = this.times.get(name) ?? 1
    while (this.given.has(once)) once = this.form(`${name}_${++times}`)
    this.times.set(name, times)
    this.given.add(once)
    return once
  }
}
