import { Fault } from "#core/fault.ts";
import type { Candidate } from "./candidates.ts";
import type { CrawlContext, Exchange } from "./exchange.ts";
import type { Line } from "./line.ts";
import type { GetOptions, LineTalk, SpeakLine } from "./service.ts";

/** A line may lose a character: then everything begins anew. */
const mostTries = 3;
const defaultMaxBytes = 1024 * 1024;

/** Questions to somebody behind a line, one after another. */
export function openLineExchange(
  candidate: Candidate & { readonly line: string },
  context: CrawlContext,
  speak: SpeakLine,
): Exchange {
  const { line: path } = candidate;
  const place = candidate.socketPath === undefined ? candidate.url : `unix:${path}`;
  let open: { readonly line: Line; readonly talk: LineTalk } | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const close = () => {
    open?.line.close();
    open = undefined;
  };

  async function talk(): Promise<LineTalk> {
    if (open !== undefined) return open.talk;
    const { signal } = context;
    const { openSerialLine, openSocketLine } = await import("./line.ts");
    const line = await (candidate.socketPath === undefined
      ? openSerialLine(path, signal)
      : openSocketLine(path, signal));
    try {
      open = { line, talk: await speak(line) };
      return open.talk;
    } catch (error) {
      line.close();
      throw error;
    }
  }

  async function ask(key: string, { maxBytes = defaultMaxBytes }: GetOptions) {
    for (let tries = 1; ; tries++) {
      const began = performance.now();
      const tell = (status: number | null, error: string | null) =>
        context.record({
          ...{ method: "GET", url: `${place} ${key}`, from: null, status, error },
          atMs: Math.round(began - context.startedAt),
          ms: Math.round(performance.now() - began),
        });
      try {
        const bytes = await (await talk()).get(key);
        tell(bytes === undefined ? 404 : 200, null);
        if ((bytes?.length ?? 0) <= maxBytes) return bytes;
      } catch (error) {
        close();
        tell(null, error instanceof Error ? error.message : String(error));
        if (tries < mostTries && !context.signal.aborted) continue;
        throw error;
      }
      throw new Fault("datasource/malformed", `${place} ${key}: more than ${maxBytes} bytes came`);
    }
  }

  return {
    get(key, options = {}) {
      const answer = last.then(() => ask(key, options));
      last = answer.catch(() => {});
      return answer;
    },
    post() {
      throw new Error(`${path} is only asked`);
    },
    close,
  };
}
