import type { Loader } from "./loader.ts";

const configuration = "/boot/extlinux/extlinux.conf";

/** U-Boot, and what else reads an extlinux.conf: its one default is for every boot. */
export const extlinux: Loader = {
  name: "extlinux",
  async probe({ files }, bootDefault) {
    const text = files.readText(configuration) ?? "";
    return text.includes(` init=${bootDefault}/init`)
      ? { is: "unable", why: `${configuration} has one default for every boot` }
      : { is: "absent" };
  },
};
