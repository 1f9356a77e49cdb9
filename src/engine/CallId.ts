import { Clock, Effect, Random } from "effect"

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

const encode = (value: number, length: number): string => {
  let rest = Math.abs(value)
  let text = ""
  for (let index = 0; index < length; index++) {
    text = alphabet[rest % 32]! + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** A new id: `call_`, the time in base 32 so that ids sort by it, and 80 random bits. */
export const newCallId: Effect.Effect<string> = Effect.withFiber((fiber) => {
  const random = fiber.getRef(Random.Random)
  const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
  return Effect.succeed(
    `call_${encode(now, 9)}${encode(random.nextIntUnsafe(), 8)}${encode(random.nextIntUnsafe(), 8)}`
  )
})
