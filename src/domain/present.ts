/** A struct with only those of the given fields that have a value. */
export const present = <F extends { readonly [key: string]: unknown }>(
  fields: F
): { readonly [K in keyof F]?: Exclude<F[K], undefined | null> } => {
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(fields)) if (fields[key] !== undefined && fields[key] !== null) kept[key] = fields[key]
  // Exactly the fields of `F` whose value is neither undefined nor null.
  return kept as { readonly [K in keyof F]?: Exclude<F[K], undefined | null> }
}
