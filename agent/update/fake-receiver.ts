import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { prettyJson } from "#core/canonical-json.ts";
import { type FakeIo, fakeIo } from "#core/fake-io.ts";
import { createLog } from "#core/log.ts";
import type { FakeFleet } from "#protocol/trust/fake-fleet.ts";
import { assignedFile } from "./places.ts";
import { receive, type SubmitAnswer } from "./receive.ts";
import { trustedCopyFile, trustedFile } from "./trusted-places.ts";

/** A node in a real directory, as far as it receives signed bytes; for tests. */
export interface FakeReceiver {
  readonly io: FakeIo;
  submit(bytes: Uint8Array, topic?: "desired" | "cmd"): Promise<SubmitAnswer>;
  /** What it was assigned last, byte by byte; `undefined` where nothing was. */
  assigned(): string | undefined;
  setClock(ms: number, isSet: boolean): void;
  loseTrustDirectory(): void;
  reset(): void;
}

const rootFile = "/etc/firstlight/root.json";

/** A node whose image brings the first root of this fleet, and whose clock is right. */
export function fakeReceiver(
  root: string,
  fleet: FakeFleet,
  options: Parameters<typeof fakeIo>[2] = {},
): FakeReceiver {
  const io = fakeIo(root, {}, options);
  const host = (file: string) => path.join(root, file);
  const put = (file: string, text: string) => {
    mkdirSync(path.dirname(host(file)), { recursive: true });
    writeFileSync(host(file), text);
  };
  const synchronized = "/run/systemd/timesync/synchronized";
  const node: FakeReceiver = {
    io,
    submit: (bytes, topic = "desired") =>
      receive(
        { topic, bytes },
        { io, log: createLog(io.clock, () => {}), node: fleet.node, rootFile },
      ),
    assigned: () => io.files.readText(assignedFile),
    setClock(ms, isSet) {
      io.clock.jump(ms - io.clock.now());
      if (isSet) put(synchronized, "");
      else rmSync(host(synchronized), { force: true });
    },
    loseTrustDirectory: () => rmSync(host(path.dirname(trustedFile)), { recursive: true }),
    reset() {
      rmSync(host(path.dirname(trustedCopyFile)), { recursive: true });
    },
  };
  put(rootFile, prettyJson(fleet.firstRoot));
  node.setClock(fleet.nowMs, true);
  return node;
}
