import { pipeline } from "node:stream/promises";
import { exitCodes } from "#agent/outcome.ts";
import { Fault } from "#core/fault.ts";
import { httpCourier } from "#provisioner/system/fetch/http-courier.ts";
import type { ChildHead, ChildRequest } from "#provisioner/system/sides/courier-child.ts";
import type { Command } from "../command.ts";

const maxRequestBytes = 64 * 1024;

/** `firstlight courier`, hidden: the child that talks to the network, and has no privileges. */
export const command: Command = {
  usage: "courier",
  summary: "Bring the bytes of the address on the standard input; started by firstlight itself.",
  arity: [0, 0],
  async run({ signal }) {
    const gone = new AbortController();
    try {
      const request = await readRequest(() => gone.abort(notWanted()));
      await bring(request, AbortSignal.any([signal, gone.signal]));
      return exitCodes.done;
    } finally {
      process.stdin.destroy(); // it is held open as long as the answer is wanted
    }
  },
};

function notWanted(): Fault {
  return new Fault("cli/interrupted", "nobody wants the answer any more");
}

async function bring(request: ChildRequest, signal: AbortSignal): Promise<void> {
  const answer = await httpCourier.open({ ...request, signal });
  const head: ChildHead = { status: answer.status, offset: answer.offset };
  process.stdout.write(`${JSON.stringify(head)}\n`);
  await pipeline(answer.body, process.stdout, { signal });
}

/** The first line of the input; its end is the word that nobody wants the answer any more. */
function readRequest(onEnd: () => void): Promise<ChildRequest> {
  return new Promise((resolve, reject) => {
    let text = "";
    const refuse = () => reject(new Fault("cli/usage", "courier: expected one line of JSON"));
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > maxRequestBytes) return refuse();
      if (!text.endsWith("\n")) return;
      const request = parse(text);
      if (request === undefined) refuse();
      else resolve(request);
    });
    process.stdin.on("end", () => {
      refuse(); // nothing where the request has come
      onEnd();
    });
  });
}

function parse(text: string): ChildRequest | undefined {
  try {
    const { url, offset, answerMs } = JSON.parse(text) as Partial<ChildRequest>;
    const isGood =
      /^https?:\/\//.test(url ?? "") && Number.isInteger(offset) && Number.isInteger(answerMs);
    return isGood
      ? { url: url as string, offset: offset as number, answerMs: answerMs as number }
      : undefined;
  } catch {
    return undefined;
  }
}
