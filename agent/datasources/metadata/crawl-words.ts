import { describeFault, Fault } from "#core/fault.ts";
import type { Report } from "#generated/agent/datasources/metadata/report.ts";
import { validate } from "#generated/agent/datasources/metadata/report.validate.js";
import { exchangesOf, unrecordedOf } from "../search.ts";
import { oAuthNames } from "./oauth.ts";
import type { CrawlJob, CrawlReport } from "./service.ts";

/** What a crawl came to, as its child says it. */
export async function reportOf(crawl: Promise<CrawlReport>): Promise<string> {
  const nothing = {
    v: 1,
    service: null,
    answers: {},
    attempts: [],
    unrecorded: 0,
    lacks: [],
    tokenless: false,
    strangers: [],
    fault: null,
  } as const;
  try {
    const { service, answers, attempts, unrecorded = 0, ...rest } = await crawl;
    const { lacks = [], tokenless = false, strangers = [] } = rest;
    const encoded = [...answers].map(([path, bytes]) => [
      path,
      Buffer.from(bytes).toString("base64"),
    ]);
    const said = { service, answers: Object.fromEntries(encoded), attempts, unrecorded };
    const report = { ...nothing, ...said, lacks, tokenless, strangers };
    return JSON.stringify(report);
  } catch (error) {
    const { code, message, hint } = describeFault(error);
    const attempts = exchangesOf(error);
    const unrecorded = unrecordedOf(error);
    return JSON.stringify({ ...nothing, attempts, unrecorded, fault: { code, message, hint } });
  }
}

/**
 * What a child has said: believed no more than the network. Throws its fault, with the exchanges, and
 * `datasource/malformed` for anything else than a report.
 */
export function readReport(
  text: string,
  { datasource }: Pick<CrawlJob, "datasource">,
): CrawlReport {
  const report = parse(text);
  if (report === undefined) {
    throw new Fault(
      "datasource/unreachable",
      `${datasource}: whoever asks the metadata service said nothing that can be read`,
    );
  }
  const { service, answers, attempts, unrecorded, lacks, tokenless, strangers, fault } = report;
  if (fault !== null) {
    const { code, message, hint } = fault;
    const thrown = new Fault(code, message, hint === null ? {} : { hint });
    throw Object.assign(thrown, { attempts, unrecorded });
  }
  const decoded = Object.entries(answers).map(
    ([path, base64]) => [path, Buffer.from(base64, "base64")] as const,
  );
  return { service, answers: new Map(decoded), attempts, unrecorded, lacks, tokenless, strangers };
}

function parse(text: string): Report | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return validate(value) ? (value as Report) : undefined;
  } catch {
    return undefined;
  }
}

/** A job, as its line says; `undefined` where it is none. */
export function readJob(line: string): CrawlJob | undefined {
  try {
    const job = JSON.parse(line) as Partial<CrawlJob>;
    const { datasource, task, problem, addresses, named, oAuth, tokens, budgetMs } = job;
    const { expected, routed } = job;
    const isGood =
      typeof datasource === "string" &&
      Number.isInteger(budgetMs) &&
      (tokens === undefined || tokens === "optional" || tokens === "none") &&
      (task === undefined || task === "crawl" || task === "ready") &&
      areAddresses(addresses) &&
      areAddresses(named) &&
      areAddresses(routed) &&
      (problem === undefined || typeof problem === "string") &&
      areTexts(expected) &&
      (oAuth === undefined || oAuthNames.every((name) => typeof oAuth[name] === "string"));
    if (!isGood) return undefined;
    return {
      ...{ datasource, budgetMs: budgetMs as number },
      ...(task === undefined ? {} : { task }),
      ...(problem === undefined ? {} : { problem }),
      ...(addresses === undefined ? {} : { addresses }),
      ...(named === undefined ? {} : { named }),
      ...(oAuth === undefined ? {} : { oAuth }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(expected === undefined ? {} : { expected }),
      ...(routed === undefined ? {} : { routed }),
    };
  } catch {
    return undefined;
  }
}

function areTexts(value: unknown): boolean {
  return (
    value === undefined || (Array.isArray(value) && value.every((one) => typeof one === "string"))
  );
}

function areAddresses(value: unknown): boolean {
  return (
    value === undefined || (Array.isArray(value) && value.every((one) => URL.canParse(String(one))))
  );
}
