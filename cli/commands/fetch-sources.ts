import type { FetchedLine } from "#agent/fetch-apart.ts";
import { sourceFetcher } from "#agent/fetch-sources.ts";
import { exitCodes } from "#agent/outcome.ts";
import { Fault } from "#core/fault.ts";
import type { Command } from "../command.ts";
import { readInput } from "../read-input.ts";

/** `firstlight fetch-sources`, hidden: the child that reads addresses, and has no privileges. */
export const command: Command = {
  usage: "fetch-sources",
  summary: "Read the addresses of a JSON list on the standard input; started by firstlight itself.",
  arity: [0, 0],
  async run({ log, out, signal }) {
    const urls = readUrls(await readInput("-", { signal }));
    const fetched = await sourceFetcher(log)(urls);
    for (const url of urls) {
      const bytes = fetched.get(url);
      const line: FetchedLine =
        bytes === undefined
          ? { url, failed: true }
          : { url, bytes: Buffer.from(bytes).toString("base64") };
      out.data(JSON.stringify(line));
    }
    return exitCodes.done;
  },
};

function readUrls(input: Uint8Array): readonly string[] {
  const urls: unknown = JSON.parse(Buffer.from(input).toString("utf8"));
  if (Array.isArray(urls) && urls.every((url) => typeof url === "string")) return urls;
  throw new Fault("cli/usage", "fetch-sources: expected a JSON list of addresses");
}
