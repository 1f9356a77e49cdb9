/** The first bytes of the pictures that all models take, in base64. */
const beginnings = { iVBOR: "image/png", "/9j/": "image/jpeg", R0lG: "image/gif", UklG: "image/webp" }

/** The type of a picture whose type nobody said, by its data in base64. */
export const imageTypeOf = (data: string): string =>
  Object.entries(beginnings).find(([beginning]) => data.startsWith(beginning))?.[1] ?? "image/png"
