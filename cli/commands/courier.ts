import { once } from "node:events";
import { exitCodes } from "#agent/outcome.ts";
import { Fault } from "#core/fault.ts";
import { httpCourier } from "#provisioner/system/fetch/http-courier.ts";
import {
  type ChildError,
  type ChildHead,
  type ChildRequest,
  childError,
  maxFrameBytes,
  parseRequest,
} from "#provisioner/system/sides/courier-words.ts";
import { Inbox } from "#provisioner/system/sides/inbox.ts";
import type { Command } from "../command.ts";

/** What is sent is text in it: a bundle for an address that was signed is the largest. */
const maxRequestBytes = 16 * 1024 * 1024;

/** `firstlight courier`, hidden: the child that talks to the network, and has no privileges. */
export const command: Command = {
  usage: "courier",
  summary: "Bring the bytes of the addresses on the standard input; started by firstlight itself.",
  arity: [0, 0],
  async run({ signal }) {
    const inbox = new Inbox(process.stdin, maxRequestBytes);
    const ends = AbortSignal.any([signal, inbox.gone]);
    process.stdout.on("error", () => process.stdin.destroy()); // nobody wants the answer any more
    try {
      for (;;) {
        const line = await inbox.next(ends);
        if (line === undefined) return exitCodes.done;
        await answer(read(line), ends);
      }
    } finally {
      process.stdin.destroy();
    }
  },
};

function read(line: Uint8Array): ChildRequest {
  const request = parseRequest(Buffer.from(line).toString("utf8"));
  if (request === undefined) throw new Fault("cli/usage", "courier: expected one line of JSON");
  return request;
}

async function answer(request: ChildRequest, signal: AbortSignal): Promise<void> {
  try {
    const { status, offset, body, close } = await httpCourier.open({ ...request, signal });
    await say({ status, offset });
    if (status >= 200 && status <= 299) await sayBody(body);
    else close();
    await say(0);
  } catch (error) {
    if (signal.aborted) return;
    await say(childError(error));
  }
}

async function sayBody(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += maxFrameBytes) {
      const piece = chunk.subarray(at, at + maxFrameBytes);
      await say(piece.length);
      await write(piece);
    }
  }
}

function say(word: ChildHead | ChildError | number): Promise<void> {
  return write(`${JSON.stringify(word)}\n`);
}

async function write(bytes: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
}
