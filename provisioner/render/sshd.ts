import type { Spec } from "#generated/provisioner/spec/v1.ts";
import { bool, call, type NixExpr, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, firstSaid, winning } from "./assignment.ts";

/**
 * The ssh server: as asked, and running where the spec says how somebody comes in. The images that
 * cloud-config is written for all run it, so that nobody asks for it there.
 */
export function renderSshd(concern: Concern): readonly Assignment[] {
  const { spec, base } = concern;
  const { enable, passwordAuthentication, permitRootLogin } = spec.sshd ?? {};
  const set = (key: readonly string[], value: NixExpr, field: string) =>
    assign(["services", "openssh", ...key], winning(base, value), ["sshd", field]);
  const settings: Assignment[] = [];
  if (enable !== undefined) settings.push(set(["enable"], bool(enable), "enable"));
  else if (speaksOfSsh(spec)) {
    const from = firstSaid(concern, [
      ["sshd", "passwordAuthentication"],
      ["sshd", "permitRootLogin"],
      ["users"],
    ]);
    settings.push(assign(["services", "openssh", "enable"], byDefault, from));
  }
  if (passwordAuthentication !== undefined) {
    const field = "passwordAuthentication";
    settings.push(set(["settings", "PasswordAuthentication"], bool(passwordAuthentication), field));
    // PAM asks for the same password under this other name.
    if (!passwordAuthentication)
      settings.push(set(["settings", "KbdInteractiveAuthentication"], bool(false), field));
  }
  if (permitRootLogin !== undefined) {
    settings.push(set(["settings", "PermitRootLogin"], str(permitRootLogin), "permitRootLogin"));
  }
  return settings;
}

/** Whether somebody has a key, or something is said of the server. */
function speaksOfSsh({ sshd, users }: Spec): boolean {
  const hasKeys = Object.values(users ?? {}).some(
    ({ authorizedKeys = [] }) => authorizedKeys.length > 0,
  );
  return hasKeys || Object.keys(sshd ?? {}).length > 0;
}

const byDefault = call(ref("lib", "mkDefault"), bool(true));
