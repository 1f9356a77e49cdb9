/** Whether the items of a list are still those that were written, all of them and in their order. */
export const isUnchanged = (items: ReadonlyArray<unknown>, written: ReadonlyArray<unknown>): boolean =>
  items.length === written.length && items.every((item, at) => item === written[at])
