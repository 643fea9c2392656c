import path from "node:path";
import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { writeTree } from "./images/make-images.ts";
import { listInterfaces } from "./interfaces.ts";

t.test(
  "interfaces are known by their addresses, those without hardware are left out",
  async (t) => {
    const root = t.testdir();
    const add = (name: string, address: string, more = {}) =>
      writeTree(path.join(root, "sys/class/net", name), { address: `${address}\n`, ...more });
    const hardware = { "device/uevent": "" };
    add("lo", "00:00:00:00:00:00");
    add("ens4", "02:00:00:00:00:0A", hardware);
    add("ens3", "02:00:00:00:00:0b", hardware);
    add("ens3v0", "02:00:00:00:00:0b", hardware);
    add("br0", "02:00:00:00:00:0c");
    t.strictSame(
      listInterfaces(fakeIo(root).files),
      new Map([
        ["02:00:00:00:00:0b", "ens3"],
        ["02:00:00:00:00:0a", "ens4"],
      ]),
    );
    t.equal(listInterfaces(fakeIo(t.testdir("empty")).files).size, 0);
  },
);
