import type { User } from "#generated/provisioner/spec/v1.ts";
import { withOptions } from "../public-key-line.ts";
import type { ModuleInput } from "./module.ts";
import type { UserLayers } from "./user-layers.ts";

/**
 * `ssh_redirect_user`: who logs in with a key of the meta-data is told to log in as the default user.
 * Such a user has no keys of its own.
 */
export function redirectLogins(
  name: string,
  user: User,
  layers: UserLayers,
  { draft, context }: ModuleInput,
): void {
  const input = layers.get("ssh_redirect_user");
  const isOn = input?.value === "default" || input?.boolean() === true;
  if (input === undefined || !isOn) return;
  if (layers.all("ssh_authorized_keys").length + layers.all("ssh_import_id").length > 0) {
    return input.expected("`ssh_redirect_user` or keys, not both", "remove one of them", "both");
  }
  const { defaultUser } = draft;
  if (defaultUser === undefined || defaultUser === name) {
    return input.unsupported({
      code: "cloud-config/no-default-user",
      message: "there is no other user to log in as: `users` does not list `default`",
      hint: "add `- default` to `users`",
    });
  }
  input.mark("translated");
  const command = `echo 'Log in as ${defaultUser}: ${name} takes no logins.'; sleep 10; exit 142`;
  const options = `no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command="${command}"`;
  user.authorizedKeys = context.publicKeys.map((line) => withOptions(line, options));
  draft.origin(["users", name, "authorizedKeys"], input);
}
