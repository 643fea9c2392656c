import { refused, refusedModule } from "./refused.ts";

/** `byobu_by_default`: a terminal multiplexer in each login. */
export const byobu = refusedModule({
  name: "byobu",
  rule:
    "NixOS starts nothing in a login by itself, so that to disable it asks for nothing. To have it add `byobu` to " +
    "`packages`; to have it in each login set programs.bash.loginShellInit as well.",
  example: "byobu_by_default: enable-system\n",
  keys: {
    byobu_by_default: refused.text(
      "add `byobu` to `packages`, and set programs.bash.loginShellInit to `byobu-launch` under `firstlight: options`",
      (value) => typeof value === "string" && value.startsWith("disable"),
    ),
  },
});
