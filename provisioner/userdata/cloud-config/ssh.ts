import type { CloudConfigModule } from "./module.ts";

/** `disable_root` and `ssh_pwauth`: how one may log in with ssh. */
export const ssh: CloudConfigModule = {
  name: "ssh",
  keys: ["disable_root", "ssh_pwauth"],
  translate({ config, draft }) {
    const rootInput = config.get("disable_root");
    const disableRoot = rootInput?.boolean();
    if (rootInput !== undefined && disableRoot !== undefined) {
      draft.spec.sshd = {
        ...draft.spec.sshd,
        permitRootLogin: disableRoot ? "no" : "prohibit-password",
      };
      draft.origin(["sshd", "permitRootLogin"], rootInput);
    }
    const passwordInput = config.get("ssh_pwauth");
    if (passwordInput === undefined) return;
    if (
      typeof passwordInput.value === "string" &&
      passwordInput.value.toLowerCase() === "unchanged"
    ) {
      return passwordInput.mark("translated");
    }
    const password = passwordInput.boolean();
    if (password === undefined) return;
    draft.spec.sshd = { ...draft.spec.sshd, passwordAuthentication: password };
    draft.origin(["sshd", "passwordAuthentication"], passwordInput);
  },
};
