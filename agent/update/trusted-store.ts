import { prettyJson } from "#core/canonical-json.ts";
import { describeFault, Fault } from "#core/fault.ts";
import { type Io, timestamp } from "#core/io.ts";
import { readTrusted, type TrustedState, trustedFromRoot } from "#protocol/trust/trusted.ts";
import {
  defaultRootFile,
  maxTrustedBytes,
  trustedCopyFile,
  trustedFile,
} from "./trusted-places.ts";

/** Where what is believed came from. */
export interface StoredTrust {
  readonly trusted: TrustedState;
  /** `root`: nothing was ever stored, or nothing of it can be read. */
  readonly from: "state" | "copy" | "root";
  /** Files that are there and cannot be read, with the reason. */
  readonly damaged: readonly { readonly file: string; readonly why: string }[];
}

/** What a node believes, on its disk. */
export interface TrustedStore {
  /**
   * What is believed: as stored, as the copy has it, or what the root of the image says. Changes nothing.
   * Throws `trust/not-enrolled` when there is none of the three, and what is wrong with the root.
   */
  read(): StoredTrust;
  /**
   * Stores it, durably and whole or not at all. What cannot be read is moved aside first. Throws
   * `trust/limit` where it would be too large to be read again; then nothing is written.
   */
  write(trusted: TrustedState): void;
}

/** The store of this machine; `rootFile` is what the settings name. */
export function trustedStore({ files, clock }: Pick<Io, "files" | "clock">, rootFile?: string) {
  const places = [
    ["state", trustedFile],
    ["copy", trustedCopyFile],
  ] as const;

  function readOne(file: string): TrustedState | undefined {
    const text = files.readText(file, { maxBytes: maxTrustedBytes });
    return text === undefined ? undefined : readTrusted(parse(file, text));
  }

  const store: TrustedStore = {
    read() {
      const damaged: { file: string; why: string }[] = [];
      for (const [from, file] of places) {
        try {
          const trusted = readOne(file);
          if (trusted !== undefined) return { trusted, from, damaged };
        } catch (error) {
          damaged.push({ file, why: describeFault(error).message });
        }
      }
      return { trusted: firstTrust(), from: "root", damaged };
    },
    write(trusted) {
      const text = prettyJson(trusted);
      if (Buffer.byteLength(text) > maxTrustedBytes) {
        throw new Fault(
          "trust/limit",
          `what is believed would have more than ${maxTrustedBytes} bytes; metadata of builders stays as long as owners delegate to them`,
        );
      }
      for (const [, file] of [...places].reverse()) {
        try {
          readOne(file);
        } catch {
          files.rename(file, `${file}.damaged-${timestamp(clock)}`);
        }
        files.write(file, text, { mode: 0o644 });
      }
    },
  };

  function firstTrust(): TrustedState {
    const file = rootFile ?? defaultRootFile;
    const text = files.readText(file, { maxBytes: maxTrustedBytes });
    if (text !== undefined) return trustedFromRoot(parse(file, text));
    if (rootFile === undefined) {
      throw new Fault("trust/not-enrolled", `there is no ${file}, and the settings name no other`);
    }
    throw new Fault("trust/no-root", `${file}, which fleet.root names, does not exist`);
  }

  return store;
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Fault("trust/malformed", `${file}: expected JSON`, { cause });
  }
}
