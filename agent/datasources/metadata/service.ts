import type { Line } from "./line.ts";
import type { OAuthKeys } from "./oauth.ts";

/** A metadata service of a cloud: where it may answer, and how it wants to be asked. */
export interface MetadataService {
  /**
   * Base addresses, all asked at once: `http://169.254.169.254`. A link-local IPv6 one is asked on every
   * interface: `http://[fe80::a9fe:a9fe]`. A socket of this machine: `unix:/dev/lxd/sock`; a
   * serial port: `serial:/dev/ttyS1`.
   */
  readonly addresses: readonly string[];
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Asked first, of every address: who answers with this is the service. Of several one is enough. */
  readonly probe: string | readonly string[];
  /** Bytes of its answer at most; 1 MiB when absent. */
  readonly probeMaxBytes?: number;
  /**
   * Which machine it speaks of, as firmware calls that too: by what the probe has said, or by asking for
   * more. `undefined` where it does not say. Throws `datasource/…`.
   */
  readonly speaksOf?: (said: string, ask: AskText) => Promise<string | undefined>;
  /** Status codes that time heals here, beside those that it heals everywhere. */
  readonly passing?: readonly number[];
  /** How the right to ask is got; it is got again where the service says 401. */
  readonly token?: TokenRequest;
  /** Whether it speaks XML; else what begins with `<` is of somebody else. */
  readonly markup?: boolean;
  /** Whether it answers only who asks from a port below 1024. */
  readonly privilegedPort?: boolean;
  /** Ports beside its own at which it answers too. */
  readonly otherPorts?: readonly number[];
  /** How it is spoken with over a line of characters; by HTTP when absent. */
  readonly speak?: SpeakLine;
  /** Devices that it is behind, for one on the machine itself. */
  readonly devices?: readonly string[];
}

/** The text behind a path, `undefined` where there is none. Throws `datasource/…`. */
export type AskText = (path: string) => Promise<string | undefined>;

/** Begins to speak over a line. Throws `datasource/…`. */
export type SpeakLine = (line: Line) => Promise<LineTalk>;

/** Questions over a line, one after another. */
export interface LineTalk {
  /** The bytes behind a key, `undefined` where there are none. Throws `datasource/…`. */
  get(key: string): Promise<Uint8Array | undefined>;
}

/** A request whose answer goes with every other one. */
export interface TokenRequest {
  readonly method: "PUT" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Header that the token goes into. */
  readonly header: string;
  /** Status codes by which a service says that it knows no tokens: then it is asked without. */
  readonly optionalOn?: readonly number[];
}

/** Answers of a metadata service by the path that was asked; a path without one (404) is absent. */
export type Answers = ReadonlyMap<string, Uint8Array>;

/** What a crawl may ask. Answers are kept, and go to whoever reads them. */
export interface MetadataClient {
  /**
   * The bytes behind a path, `undefined` where there are none (404). A path that begins with a port
   * (`:8080/1.0/`) is there at the same address. Throws `datasource/…`.
   */
  get(path: string, options?: GetOptions): Promise<Uint8Array | undefined>;
  /** The same as text. */
  text(path: string, options?: GetOptions): Promise<string | undefined>;
  /** Whether there is time left for what a machine can do without; else it is not asked for. */
  hasTime(): boolean;
  /** Tells of something that is not asked for. */
  lack(lack: Lack): void;
  /** Says something to the service; what it answers is not kept. Throws `datasource/…`. */
  post(path: string, body: string, options?: Pick<GetOptions, "headers">): Promise<void>;
}

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes at most; 1 MiB when absent. */
  readonly maxBytes?: number;
  /** Status codes that count as nothing there, beside 404: none of them is waited for. */
  readonly absentOn?: readonly number[];
  /**
   * For this alone, in milliseconds: what is over by then is `datasource/unreachable`. For what a machine
   * can do without.
   */
  readonly withinMs?: number;
  /**
   * Set for what a machine can do without: where it is refused or does not come in time there is
   * nothing behind the path, and a finding of this level tells it.
   */
  readonly without?: "note" | "warning";
  /** Whether it is the user's own document: then a page of HTML is as good as anything. */
  readonly raw?: boolean;
  /** Whether it may begin with `<` and be no page of HTML; what the service says when absent. */
  readonly markup?: boolean;
}

/** One exchange with an address, or the lack of one. */
export interface MetadataAttempt {
  readonly method: string;
  /** Address and path; no query, which may hold a token. */
  readonly url: string;
  /** Address or interface of this machine that it went out from, where one was chosen. */
  readonly from: string | null;
  /** Since the crawl began. */
  readonly atMs: number;
  readonly ms: number;
  /** `null` where nothing came. */
  readonly status: number | null;
  /** Why nothing came, or why it was not taken. */
  readonly error: string | null;
}

/** What is asked of whoever goes to the network. */
export interface CrawlJob {
  /** Name of a cloud of `clouds/table.ts`. */
  readonly datasource: string;
  /** What for: everything that the cloud says, or to tell it how the machine is (`Cloud.ready`). */
  readonly task?: "crawl" | "ready";
  /** Why the machine is not up, in words for a person; it is when absent. */
  readonly problem?: string;
  /** Instead of the cloud's own. */
  readonly addresses?: readonly string[];
  /** Further ones by host names (`http://data-server`), which a network may know or not. */
  readonly named?: readonly string[];
  /** By what right it is asked. */
  readonly oAuth?: OAuthKeys;
  /**
   * Whether it is asked with tokens, where the service has them: always when absent, unless it refuses to
   * give one (`optional`), or never.
   */
  readonly tokens?: Tokens;
  /**
   * What this machine is called, any of these, where its firmware says so: whoever speaks of another one is
   * passed over where one that speaks of this one answers as well.
   */
  readonly expected?: readonly string[];
  /**
   * Addresses of the service to which a rule of routing sends what is asked from an address of this machine
   * by its own interface.
   */
  readonly routed?: readonly string[];
  /** For everything, in milliseconds. */
  readonly budgetMs: number;
}

/** Who answers in the place of a service, and speaks of another machine. */
export interface Stranger {
  /** The address that answered, and from where it was asked. */
  readonly url: string;
  readonly from: string | null;
  /** What it calls the machine; `null` where it does not say. */
  readonly speaksOf: string | null;
}

export type Tokens = "optional" | "none";

/** What did not come, or was not asked for, and that the machine does without. */
export interface Lack {
  readonly level: "note" | "warning";
  readonly path: string;
  readonly problem: string;
}

/** What came of a crawl. */
export interface CrawlReport {
  /** The address that answered, and from where it was asked. */
  readonly service: { readonly url: string; readonly from: string | null } | null;
  readonly answers: Answers;
  /** The first and the last ones. */
  readonly attempts: readonly MetadataAttempt[];
  /** How many there were between them that are left out. */
  readonly unrecorded?: number;
  readonly lacks?: readonly Lack[];
  /** Whether it was asked without a token, because it would give none. */
  readonly tokenless?: boolean;
  /** Who was passed over. */
  readonly strangers?: readonly Stranger[];
}

/** Goes to the network, with no privileges where that can be. Throws `datasource/…`. */
export type Crawl = (job: CrawlJob, signal?: AbortSignal) => Promise<CrawlReport>;
