import { Fault } from "#core/fault.ts";
import type { Io } from "#core/io.ts";
import { readReport } from "./crawl-words.ts";
import type { Crawl } from "./service.ts";

/** For its start and its end, beyond what it may ask for. */
const graceMs = 15_000;
const maxReportBytes = 64 * 1024 * 1024;

/** A crawl by a child that ends with its answer: what comes from the network meets no root until it is bytes. */
export function crawlInChild(io: Pick<Io, "exec">, argv: readonly [string, ...string[]]): Crawl {
  const [file, ...args] = argv;
  return async (job, signal) => {
    const { code, stdout, stderr } = await io.exec({
      ...{ file, args, stdin: `${JSON.stringify(job)}\n` },
      ...{ timeoutMs: job.budgetMs + graceMs, maxOutputBytes: maxReportBytes },
      ...(signal === undefined ? {} : { signal }),
    });
    if (code === 0) return readReport(stdout, job);
    const last = stderr.trim().split("\n").at(-1) ?? "";
    throw new Fault(
      "datasource/unreachable",
      `${job.datasource}: whoever asks the metadata service ended with ${code}: ${last.slice(0, 500)}`,
    );
  };
}
