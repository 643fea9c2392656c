import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { hostIo } from "#core/host-io.ts";
import type { Io } from "#core/io.ts";
import { Secret } from "#core/secret.ts";
import type { CredentialFile } from "#provisioner/render/base.ts";
import { credentialsDirectory, openCredentialStore } from "./credential-store.ts";
import { decryptCredential } from "./decrypt-credential.ts";
import { ensureIdentity, readIdentity } from "./node-identity.ts";
import { recipientOf } from "./open-envelope.ts";

// A TPM 2.0 in a program (swtpm), reached by a socket: its state is a directory. It is switched on for each
// call, since nothing but a kernel takes away what systemd-creds leaves in one. No kernel knows of it, so that
// systemd-creds is told where it is, and that the key which `auto` takes where there is a TPM is wanted.

const isProgram = (name: string) =>
  (process.env["PATH"] ?? "").split(":").some((directory) => {
    try {
      accessSync(path.join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
const needed = ["swtpm", "systemd-creds"].filter((name) => !isProgram(name));
const skip = needed.length === 0 ? false : `needs ${needed.join(" and ")}`;

/** A machine that a TPM can be put into. */
interface Machine {
  readonly io: Io;
  /** Puts a TPM in by the name of its state, which is empty the first time, in place of any other. */
  readonly plug: (state: string) => void;
  readonly unplug: () => void;
}

function machine(t: Test): Machine {
  const root = t.testdir({ bin: {}, machine: {} });
  const at = (name: string) => path.join(root, name);
  const sockets = mkdtempSync(path.join(tmpdir(), "tpm-")); // whose path must be short
  t.teardown(() => rmSync(sockets, { recursive: true }));
  const socket = path.join(sockets, "tpm");
  const wrapper = `#!/bin/bash
export PATH=\${PATH#*:}
arguments=()
for each; do
  case $each in
    --with-key=auto) arguments+=(--with-key=host+tpm2) ;;
    *) arguments+=("$each") ;;
  esac
done
exec systemd-creds --tpm2-device=swtpm:path=${socket} "\${arguments[@]}"
`;
  writeFileSync(at("bin/systemd-creds"), wrapper, { mode: 0o755 });
  const env = {
    ...process.env,
    PATH: `${at("bin")}:${process.env["PATH"]}`,
    SYSTEMD_CREDENTIAL_SECRET: at("host-key"),
  };
  const host = hostIo({ root: at("machine"), env });
  let plugged: string | undefined;
  return {
    io: {
      ...host,
      // Its root is the machine's own, so that secrets are encrypted for it.
      files: { ...host.files, root: "/" },
      async exec(request) {
        if (plugged === undefined) return host.exec(request);
        const tpm = await switchOn(plugged, socket);
        try {
          return await host.exec(request);
        } finally {
          await switchOff(tpm, socket);
        }
      },
    },
    plug(state) {
      mkdirSync(at(state), { recursive: true });
      plugged = at(state);
    },
    unplug() {
      plugged = undefined;
    },
  };
}

async function switchOn(state: string, socket: string): Promise<ChildProcess> {
  const args = [
    ...["socket", "--tpm2", "--tpmstate", `dir=${state}`],
    ...["--server", `type=unixio,path=${socket}`, "--ctrl", `type=unixio,path=${socket}.ctrl`],
    ...["--flags", "not-need-init,startup-clear"],
  ];
  const tpm = spawn("swtpm", args, { stdio: "ignore" });
  const isThere = () => existsSync(socket) && existsSync(`${socket}.ctrl`);
  for (let round = 0; !isThere() && round < 200; round++) await sleep(50);
  return tpm;
}

/** As a kernel does: one that is cut off takes that for an attack, and after three of them opens nothing. */
async function switchOff(tpm: ChildProcess, socket: string): Promise<void> {
  const connection = connect(socket);
  connection.write(Buffer.from("80010000000c000001450000", "hex")); // TPM2_Shutdown(TPM_SU_CLEAR)
  await once(connection, "data");
  connection.destroy();
  const ended = once(tpm, "exit");
  tpm.kill();
  await ended;
  for (const each of [socket, `${socket}.ctrl`]) rmSync(each, { force: true });
}

const bag = new Map([["token", new Secret<Uint8Array>(Buffer.from("canary"))]]);
const opened = async (io: Io, { name, file }: CredentialFile) =>
  (await decryptCredential(io, { name, file: `${credentialsDirectory}/${file}` })).toString();

t.test("secrets and the node's own key are the TPM's", { skip, timeout: 240_000 }, async (t) => {
  const { io, plug, unplug } = machine(t);
  const store = async () => {
    const opened = await openCredentialStore(io);
    t.match(await opened.protection(), { encrypted: true });
    const file = (await opened.store(bag)).get("token");
    if (file === undefined) throw new Error("expected the token to be stored");
    return file;
  };
  const textOf = ({ file }: CredentialFile) => io.files.readText(`${credentialsDirectory}/${file}`);
  const identity = async () => {
    const key = await readIdentity(io);
    return key === undefined ? undefined : recipientOf(key);
  };

  plug("its-own");
  const token = await store();
  await ensureIdentity(io, await openCredentialStore(io));
  const recipient = await identity();
  t.match(recipient, /^age1/);
  t.equal(await opened(io, token), "canary");
  const sealed = textOf(token);

  await t.test("opened again after the TPM was off", async (t) => {
    unplug();
    await t.rejects(opened(io, token), { code: "secret/decrypt-failed" }, "not without it");
    plug("its-own");
    t.equal(await opened(io, token), "canary");
    t.equal(await identity(), recipient);
    t.same(await store(), token);
    t.equal(textOf(token), sealed, "and left as it is");
  });

  await t.test("not opened by another one, for which they are made anew", async (t) => {
    plug("another");
    await t.rejects(opened(io, token), { code: "secret/decrypt-failed" });
    await t.rejects(identity(), { code: "secret/decrypt-failed" });
    t.same(await store(), token, "said again, it has the same name");
    t.not(textOf(token), sealed);
    t.equal(await opened(io, token), "canary");
    await ensureIdentity(io, await openCredentialStore(io));
    await t.rejects(
      identity(),
      { code: "secret/decrypt-failed" },
      "a key is never exchanged by itself",
    );
    io.files.remove(`${credentialsDirectory}/.identity.cred`);
    await ensureIdentity(io, await openCredentialStore(io));
    const other = await identity();
    t.match(other, /^age1/);
    t.not(other, recipient);
  });

  await t.test("and what another one made is not the first one's", async (t) => {
    plug("its-own");
    await t.rejects(opened(io, token), { code: "secret/decrypt-failed" });
  });
});
