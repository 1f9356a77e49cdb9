/**
 * The testing kit: scripted and recorded upstreams, faults, and an engine over them, for tests on TestClock; the simulator,
 * inside a program and as a provider of its own.
 */
export { makeSimulatorUpstream } from "./providers/simulator/simulator.ts"
export type { LoggedRequest, RequestLog } from "./server/simulate/RequestLog.ts"
export { SimulateError } from "./server/simulate/SimulateError.ts"
export { type SimulateOptions, type SimulateServer, simulateServer } from "./server/simulate/SimulateServer.ts"
export * from "./testing/Faults.ts"
export * from "./testing/RecordedUpstream.ts"
export * as Script from "./testing/Script.ts"
export * from "./testing/ScriptedUpstream.ts"
export * from "./testing/TestEngine.ts"
