import { Fault } from "#core/fault.ts";
import * as validator from "#generated/provisioner/system/sides/operator-ask.validate.js";
import type { System, SystemEvent, SystemRequest, SystemResults } from "../system.ts";
import { type Door, readAsk } from "./door.ts";

/** A system that one process, or one connection, works with. */
export interface SystemSession extends System {
  /** Gives back the lock, also where a trial is still open, as the end of a process does. */
  close(): void;
}

/** As large as sources may be, written as JSON. */
const maxBytes = 160 * 1024 * 1024;

/**
 * Root's own door: the whole system. Each connection has a lock of its own, so that two operators
 * shut each other out as two processes do.
 */
export function operatorDoor(openSystem: () => Promise<SystemSession>): Door<SystemRequest> {
  return {
    name: "operator",
    limits: { maxBytes, connections: 16, firstMs: 10_000, idleMs: null },
    // What the schema has looked at is what the types say: a test holds the two together.
    read: (line) => readAsk(validator, line) as SystemRequest,
    async open() {
      const system = await openSystem();
      return {
        answer: (request, onEvent, signal) => lastOf(system, request, onEvent, signal),
        close: () => system.close(),
      };
    },
  };
}

/** The result of a request, its events told. */
async function lastOf<R extends SystemRequest>(
  system: System,
  request: R,
  onEvent: (event: SystemEvent) => void,
  signal: AbortSignal,
): Promise<SystemResults[R["kind"]]> {
  for await (const message of system.send(request, signal)) {
    if (message.type === "result") return message.result;
    onEvent(message);
  }
  throw new Fault("system/no-result", `${request.kind}: expected a result, got none`);
}
