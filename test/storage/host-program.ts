// Prints where its process id is one.
import { Console, Effect } from "effect"
import { currentProcess } from "../../src/storage/ProcessLease.ts"

Effect.runFork(Effect.flatMap(currentProcess, ({ host }) => Console.log(host)))
