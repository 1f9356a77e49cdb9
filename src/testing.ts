/**
 * The testing kit: scripted and recorded upstreams, faults, and an engine over them, for tests on TestClock.
 */
export * from "./testing/Faults.ts"
export * from "./testing/RecordedUpstream.ts"
export * as Script from "./testing/Script.ts"
export * from "./testing/ScriptedUpstream.ts"
export * from "./testing/TestEngine.ts"
