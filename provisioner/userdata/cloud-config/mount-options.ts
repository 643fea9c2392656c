import type { Input } from "../input.ts";

/** What waits for a unit of cloud-init, or for nobody any more. */
const pointless =
  /^(?:x-systemd\.[a-z-]+=cloud-(?:init|config|final)[^,]*|comment=.*|nobootwait|bootwait)$/;
const password = /^(?:pass(?:word|wd)?|password2)=|^user(?:name)?=[^%]*%./;
/** An address or a name of a device with a password in it: `https://user:…@host/`, `user:…@host:`. */
const inDevice = /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/@:\s]+:[^@]+@/i;

/** Whether a device of a mount says a password. */
export function hasPassword(device: string): boolean {
  return inDevice.test(device);
}

/** Options with commas between them; those that mean nothing, or must not stand in the store, are named. */
export function readMountOptions(field: Input, text: string): readonly string[] {
  const all = text.split(",").map((option) => option.trim());
  const options = all.filter((option) => {
    return option !== "" && !pointless.test(option) && !password.test(option);
  });
  if (all.some((option) => pointless.test(option))) {
    field.add("note", {
      code: "cloud-config/no-meaning",
      message: "an option waits for a unit of another system; it is left out",
    });
  }
  if (all.some((option) => password.test(option))) {
    field.unsupported({
      code: "cloud-config/plain-password",
      message:
        "a password among the options of a mount would stand in the Nix store; it is left out",
      hint: "write it to a file of mode 0600 with write_files, and name that with `credentials=`",
    });
  }
  return options;
}
