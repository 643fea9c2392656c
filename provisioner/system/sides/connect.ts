import { Fault } from "#core/fault.ts";
import type {
  System,
  SystemEvent,
  SystemMessage,
  SystemRequest,
  SystemResults,
} from "../system.ts";
import type { CourierRequest } from "./courier-door.ts";
import { connectSide, type DoorAddress, type SideConnection } from "./side-connection.ts";

/** The system behind a socket. */
export interface SocketSystem extends System {
  /** Ends the connection, and with it the lock of a trial that is still open. */
  close(): void;
}

/** Only these can be called off; what activates is waited for, as in one process. */
const callable: readonly SystemRequest["kind"][] = [
  "build",
  "drift",
  "fetch",
  "plan",
  "plan-generation",
  "repair",
];

/**
 * A {@link System} over the operator's socket. One connection, made with the first request and
 * kept: it holds the lock of a trial as a process of its own would. Throws what the root side throws,
 * and `side/unreachable`, `side/lost`, `side/timeout`.
 */
export function systemOverSocket(address: DoorAddress): SocketSystem {
  let connection: SideConnection | undefined;

  async function* send<R extends SystemRequest>(
    request: R,
    signal?: AbortSignal,
  ): AsyncGenerator<SystemMessage<R>, void, undefined> {
    connection = connection?.usable === true ? connection : await connectSide(address);
    const calledOff = callable.includes(request.kind) ? signal : undefined;
    for await (const answer of connection.ask(request, calledOff)) {
      if (answer.type === "event") yield answer.event as unknown as SystemEvent;
      else yield { type: "result", result: answer.result as unknown as SystemResults[R["kind"]] };
    }
  }

  return {
    send,
    close: () => connection?.close(),
  };
}

/** Asks a courier's question, or submits. Throws as {@link systemOverSocket}. */
export async function askCourierDoor(
  address: DoorAddress,
  request: CourierRequest | SystemRequest,
): Promise<unknown> {
  const connection = await connectSide(address);
  try {
    for await (const answer of connection.ask(request)) {
      if (answer.type === "result") return answer.result;
    }
  } finally {
    connection.close();
  }
  throw new Fault("side/lost", "the root side ended its answer without a result");
}
