import type { Vector } from "../domain/Embedding.ts"

const bytesPerFloat = 4

/** The base64 of a vector's numbers as little-endian 32-bit floats. */
export const encodeVector = (vector: ReadonlyArray<number>): string => {
  const bytes = Buffer.allocUnsafe(vector.length * bytesPerFloat)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * bytesPerFloat)
  return bytes.toString("base64")
}

/** The numbers of a vector that was given as base64. */
export const decodeVector = (text: string): ReadonlyArray<number> => {
  const bytes = Buffer.from(text, "base64")
  return Array.from({ length: Math.floor(bytes.length / bytesPerFloat) }, (_, index) =>
    bytes.readFloatLE(index * bytesPerFloat)
  )
}

/** A vector as a provider gave it; undefined where what stands there is none. */
const readVector = (value: unknown): Vector | undefined => {
  if (typeof value === "string") return value
  return Array.isArray(value) && value.every((number) => typeof number === "number") ? value : undefined
}

/** The vectors of an answer; undefined where one of them is none. */
export const readVectors = (values: unknown): ReadonlyArray<Vector> | undefined => {
  if (!Array.isArray(values)) return undefined
  const vectors: Array<Vector> = []
  for (const value of values) {
    const vector = readVector(value)
    if (vector === undefined) return undefined
    vectors.push(vector)
  }
  return vectors
}
