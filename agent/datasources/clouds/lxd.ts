import type { AnswerReader, Cloud, JsonObject } from "../cloud.ts";
import { objectIn } from "./json-values.ts";
import { Said } from "./said.ts";

const sockets = ["/dev/lxd/sock", "/dev/incus/sock"];
/** Of the agent in virtual machines, which makes the socket. */
const ports = ["com.canonical.lxd", "org.linuxcontainers.lxd", "org.linuxcontainers.incus"];
const metaData = "/1.0/meta-data";
const config = "/1.0/config";
/** Where both are set the first counts. */
const prefixes = ["cloud-init", "user"] as const;
const documents = ["user-data", "vendor-data", "network-config"] as const;
const maxBytes = 16 * 1024 * 1024;

/**
 * LXD and Incus (https://documentation.ubuntu.com/lxd/latest/dev-lxd/): a socket in containers, and in
 * virtual machines where their agent runs. It answers root alone.
 */
export const lxd: Cloud = {
  name: "LXD",
  onMachine: true,
  service: { addresses: sockets.map((path) => `unix:${path}`), probe: metaData, passing: [500] },
  identify({ markSockets, virtioPorts }) {
    const socket = markSockets.find((path) => sockets.includes(path));
    if (socket !== undefined) return `socket: ${socket}`;
    const port = virtioPorts.find((name) => ports.includes(name));
    return port === undefined ? undefined : `virtio port: ${port}`;
  },
  addressesOn(files) {
    const present = sockets.filter((path) => files.stat(path) !== undefined);
    const asked = present.length === 0 ? sockets : present.slice(0, 1);
    return asked.map((path) => `unix:${files.hostPath(path)}`);
  },
  async crawl(client) {
    await client.get(metaData);
    const listed = (await client.text(config)) ?? "";
    const wanted = prefixes.flatMap((prefix) =>
      ["meta-data", ...documents].map((name) => pathOf(prefix, name)),
    );
    for (const path of wanted.filter((each) => listed.includes(`"${each}"`)))
      await client.get(path, { maxBytes, raw: true });
  },
  read(answers) {
    const document = (name: (typeof documents)[number]) =>
      prefixes
        .map((prefix) => answers.bytes(pathOf(prefix, name)))
        .find((bytes) => bytes !== undefined);
    const said = {
      ...mapping(answers, metaData),
      ...mapping(answers, pathOf("user", "meta-data")),
    };
    Said.in(answers, config).items();
    return {
      metaData: said,
      userData: document("user-data"),
      vendorData: document("vendor-data"),
      networkConfig: document("network-config"),
    };
  },
};

function pathOf(prefix: string, name: string): string {
  return `${config}/${prefix}.${name}`;
}

function mapping(answers: AnswerReader, path: string): JsonObject {
  const said = Said.of(answers.yaml(path), (problem) => answers.malformed(path, problem));
  said.entries(); // else it is none
  return objectIn(said.json);
}
