import { hash } from "node:crypto"

const tail = 8

/**
 * A name for an API that refuses long ones: its beginning and a hash, in UTF-16 code units. It is the same for the same name,
 * so that what refers to it still does.
 */
export const bounded = (name: string, most: number): string =>
  name.length <= most ? name : `${name.slice(0, most - tail - 1)}_${hash("sha256", name, "hex").slice(0, tail)}`
