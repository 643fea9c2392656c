import { list, str } from "#provisioner/nix-language/tree.ts";
import { type Assignment, assign, type Concern, credential, loadCredential } from "./assignment.ts";

/** The password of the broker, for the unit that reports; everything else about it is the agent's. */
export function renderReport(concern: Concern): readonly Assignment[] {
  const password = concern.spec.report?.mqtt?.password;
  if (password === undefined) return [];
  const { key, line } = loadCredential(credential(concern, password.secretRef));
  const path = ["systemd", "services", "firstlight-agent", "serviceConfig", key];
  return [assign(path, list([str(line)]), ["report", "mqtt", "password"])];
}
