/**
 * Microseconds on the machine's monotonic clock, which all processes on it share: a time written by the upstream can
 * be compared with one read by the load generator, and no clock adjustment comes between.
 */
export const monotonicMicros = (): number => Number(process.hrtime.bigint() / 1000n)
