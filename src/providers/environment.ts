/** The environment variables of the process, or what stands for them. */
export type Environment = ReadonlyMap<string, string>

/** The value of a variable; what is set to nothing is not set. */
export const valueIn = (environment: Environment, name: string): string | undefined =>
  environment.get(name) || undefined
