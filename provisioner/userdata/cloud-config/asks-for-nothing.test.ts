import t from "tap";
import { linesOf, translateCloud } from "../sample-translation.ts";

const levelsOf = (yaml: string) => translateCloud(yaml).findings.map(({ level }) => level);

t.test("what asks for nothing is a note: nothing is lost", async (t) => {
  for (const yaml of [
    "package_update: true\n",
    "package_upgrade: false\n",
    "package_reboot_if_required: true\n",
    "manage_etc_hosts: false\n",
    "manage_resolv_conf: false\n",
    "chpasswd: {expire: false}\n",
    "growpart: {mode: off, devices: [/]}\n",
    "snap: {}\n",
  ]) {
    t.strictSame(levelsOf(yaml), ["note"], yaml);
  }
});

t.test("what asks for something is a warning, as before", async (t) => {
  for (const yaml of [
    "package_upgrade: true\n",
    "manage_resolv_conf: true\n",
    "mounts: [[a, /b]]\n",
  ]) {
    t.strictSame(levelsOf(yaml), ["warning"], yaml);
  }
});

t.test("it stands at its key, with what NixOS does instead", async (t) => {
  const translation = translateCloud("package_update: true\n");
  t.strictSame(linesOf(translation), ["note cloud-config/no-meaning 2:1 package_update"]);
  t.match(translation.findings, [{ hint: /the pinned nixpkgs decides/ }]);
});

t.test("what is so anyway, by a key that is translated, says nothing", async (t) => {
  for (const yaml of [
    "ssh: {emit_keys_to_console: false}\n",
    "no_ssh_fingerprints: true\n",
    "ssh_deletekeys: false\n",
    "ssh_publish_hostkeys: {enabled: false, blacklist: [rsa]}\n",
    "updates: {network: {when: [boot, boot-new-instance, hotplug]}}\n",
  ]) {
    t.strictSame(levelsOf(yaml), [], yaml);
  }
});
