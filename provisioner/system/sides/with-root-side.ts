import { type Fault, isFault } from "#core/fault.ts";
import type { System, SystemMessage, SystemRequest } from "../system.ts";

/** The two places where a request can be worked on. */
export interface Sides {
  /** This process. */
  readonly here: System;
  /** The root side. */
  readonly there: System;
  /** Whether the journal leaves nothing open, so that `recover` has nothing to do. */
  readonly isClean: () => boolean;
  /** Told once when nobody answers at the root side's socket, and everything is done here. */
  readonly onUnreachable: (fault: Fault) => void;
}

/**
 * One system of two processes: questions are answered where they are asked, so that a boot with
 * nothing to do starts no root side; everything else, and what runs while a change is open, is the root
 * side's. Where that cannot be reached
 * at the first change, all is done here, under the same lock.
 */
export function withRootSide({ here, there, isClean, onUnreachable }: Sides): System {
  let changes: System | undefined;

  async function* change<R extends SystemRequest>(
    request: R,
    signal?: AbortSignal,
  ): AsyncGenerator<SystemMessage<R>, void, undefined> {
    try {
      yield* (changes ?? there).send(request, signal);
      changes ??= there;
    } catch (error) {
      if (changes !== undefined || !isFault(error, "side/unreachable")) throw error;
      onUnreachable(error);
      changes = here;
      yield* here.send(request, signal);
    }
  }

  return {
    send<R extends SystemRequest>(
      request: R,
      signal?: AbortSignal,
    ): AsyncIterable<SystemMessage<R>> {
      const asks = isClean() ? isQuestion(request) || request.kind === "recover" : isRead(request);
      return asks ? here.send(request, signal) : change(request, signal);
    },
  };
}

function isQuestion(request: SystemRequest): boolean {
  return request.kind === "runs" || isRead(request);
}

/**
 * What is the same for whoever reads it. Whether a restart is wanted is not: in a container a sandbox
 * may show another boot id than the one that the root side has written down.
 */
function isRead({ kind }: SystemRequest): boolean {
  return kind === "history" || kind === "preview" || kind === "status";
}
