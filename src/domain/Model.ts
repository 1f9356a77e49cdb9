/** A model that callers may name, and the provider that answers for it. `created` is in seconds since the epoch. */
export interface Model {
  readonly id: string
  readonly provider: string
  readonly created: number
}
