import { bool, call, type NixExpr, ref, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, winning } from "./assignment.ts";

/** The ssh server: as asked, and running where somebody has a key to come in with. */
export function renderSshd({ spec, base }: Concern): readonly Assignment[] {
  const { enable, passwordAuthentication, permitRootLogin } = spec.sshd ?? {};
  const hasKeys = Object.values(spec.users ?? {}).some(
    (user) => (user.authorizedKeys?.length ?? 0) > 0,
  );
  const set = (key: readonly string[], value: NixExpr, field: string) =>
    assign(["services", "openssh", ...key], winning(base, value), ["sshd", field]);
  const settings: Assignment[] = [];
  if (enable !== undefined) settings.push(set(["enable"], bool(enable), "enable"));
  else if (hasKeys) settings.push(assign(["services", "openssh", "enable"], byDefault, ["users"]));
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

const byDefault = call(ref("lib", "mkDefault"), bool(true));
