import { Fault } from "#core/fault.ts";
import type { CourierAsk } from "#generated/provisioner/system/sides/courier-ask.ts";
import * as validator from "#generated/provisioner/system/sides/courier-ask.validate.js";
import { type SystemClient, systemClient } from "../client.ts";
import type { System } from "../system.ts";
import { type Door, readAsk } from "./door.ts";

/** What the network side may ask. */
export type CourierRequest = CourierAsk["request"];

type SubmitRequest = Extract<CourierRequest, { kind: "submit" }>;

/** Signed bytes as the network side got them. */
export interface Submission {
  readonly topic: "desired" | "cmd";
  /** The whole message. */
  readonly bytes: Uint8Array;
}

/** Verifies signed bytes and stores what is good of them; its result is the answer. */
export type Receive = (submission: Submission) => Promise<unknown>;

/** Signed metadata of one update, in base64 and its line. */
const maxBytes = 384 * 1024;

/**
 * The network side's door. It faces an attacker: what it takes can start no process and changes
 * nothing but what the fleet has signed (`receive`; without one nothing is taken), its answers hold no
 * secret, and it is asked so rarely that root's own work goes on.
 */
export function courierDoor(openSystem: () => System, receive?: Receive): Door<CourierRequest> {
  return {
    name: "courier",
    limits: {
      maxBytes,
      connections: 8,
      firstMs: 10_000,
      idleMs: 10_000,
      pace: { burst: 20, everyMs: 1_000 },
    },
    read: (line) => readAsk(validator, line),
    open: async () => ({
      answer: (request, _onEvent, signal) =>
        request.kind === "submit"
          ? submit(request, receive)
          : answer(request, systemClient(openSystem(), { signal })),
      close() {},
    }),
  };
}

async function answer(
  request: Exclude<CourierRequest, SubmitRequest>,
  system: Pick<SystemClient, "runs" | "history" | "status">,
): Promise<unknown> {
  switch (request.kind) {
    case "runs":
      return system.runs(request.sourcesDigest);
    case "history":
      return system.history();
    case "status":
      return system.status();
  }
}

async function submit({ topic, bytes }: SubmitRequest, receive?: Receive): Promise<unknown> {
  if (receive === undefined) {
    throw new Fault("side/submit-not-taken", "signed updates are not taken here");
  }
  return receive({ topic, bytes: Buffer.from(bytes, "base64") });
}
