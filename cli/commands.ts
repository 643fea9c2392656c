import type { Command } from "./command.ts";

/** Every command by name, each a chunk of its own. Hidden ones are for firstlight itself. */
export const commands: Readonly<
  Record<
    string,
    { readonly load: () => Promise<{ readonly command: Command }>; readonly hidden?: true }
  >
> = {
  boot: { load: () => import("./commands/boot.ts") },
  bootstrap: { load: () => import("./commands/bootstrap.ts") },
  agent: { load: () => import("./commands/agent.ts") },
  system: { load: () => import("./commands/system.ts") },
  discover: { load: () => import("./commands/discover.ts") },
  translate: { load: () => import("./commands/translate.ts") },
  validate: { load: () => import("./commands/validate.ts") },
  facts: { load: () => import("./commands/facts.ts") },
  profiles: { load: () => import("./commands/profiles.ts") },
  render: { load: () => import("./commands/render.ts") },
  plan: { load: () => import("./commands/plan.ts") },
  build: { load: () => import("./commands/build.ts") },
  apply: { load: () => import("./commands/apply.ts") },
  update: { load: () => import("./commands/update.ts") },
  watch: { load: () => import("./commands/watch.ts") },
  "fleet-commands": { load: () => import("./commands/fleet-commands.ts") },
  rollback: { load: () => import("./commands/rollback.ts") },
  history: { load: () => import("./commands/history.ts") },
  drift: { load: () => import("./commands/drift.ts") },
  closure: { load: () => import("./commands/closure.ts") },
  collect: { load: () => import("./commands/collect.ts") },
  status: { load: () => import("./commands/status.ts") },
  enroll: { load: () => import("./commands/enroll.ts") },
  identity: { load: () => import("./commands/identity.ts") },
  analyze: { load: () => import("./commands/analyze.ts") },
  trust: { load: () => import("./commands/trust.ts") },
  install: { load: () => import("./commands/install.ts") },
  query: { load: () => import("./commands/query.ts") },
  explain: { load: () => import("./commands/explain.ts") },
  fleet: { load: () => import("./commands/fleet.ts") },
  "first-boot": { load: () => import("./commands/first-boot.ts"), hidden: true },
  courier: { load: () => import("./commands/courier.ts"), hidden: true },
  crawl: { load: () => import("./commands/crawl.ts"), hidden: true },
  jinja: { load: () => import("./commands/jinja.ts"), hidden: true },
  witness: { load: () => import("./commands/witness.ts"), hidden: true },
};
