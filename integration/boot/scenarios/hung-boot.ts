import type { Scenario } from "../scenario.ts";
import { seed } from "./documents.ts";

const sh = (script: string) => ["sh", "-c", script] as const;

/** Prints the properties of each scope that an evaluation or a build runs in, until a build has had one. */
const watchesScopes = `
for round in $(seq 3000); do
  for kind in evaluate build; do
    for unit in $(systemctl list-units --plain --no-legend "firstlight-$kind-*" 2>/dev/null | cut -d" " -f1); do
      case " $seen " in *" $unit "*) continue ;; esac
      said=$(systemctl show --property=Id,ActiveState,MemoryMax,CPUWeight,IOWeight,TasksMax,RuntimeMaxUSec "$unit")
      case $said in *ActiveState=active*) ;; *) continue ;; esac
      seen="$seen $unit"
      echo $said
    done
  done
  case $seen in *firstlight-build-*) exit 0 ;; esac
  sleep 0.02
done
exit 1`;

/** What the kernel itself says of limits. */
const isKept = "grep -qw memory /sys/fs/cgroup/cgroup.controllers";

/** Where units are added to by whoever has the machine, whatever generation runs. */
const units = "/usr/local/lib/systemd/system";
const isFirst = "test /nix/var/nix/gcroots/firstlight-first-boot/unproved -ef /run/booted-system";
/** In a first boot firstlight hangs, and the deadline comes soon. */
const hangs = `
mkdir -p ${units}/firstlight-boot.service.d ${units}/firstlight-first-boot-deadline.timer.d
cat > ${units}/firstlight-boot.service.d/hang.conf <<'X'
[Service]
ExecStartPre=/bin/sh -c 'if ${isFirst}; then echo hangs; exec sleep infinity; fi'
X
cat > ${units}/firstlight-first-boot-deadline.timer.d/soon.conf <<'X'
[Timer]
OnActiveSec=
OnActiveSec=12s
AccuracySec=100ms
X
sync`;

/** Limits as systemd has them; and a first boot that hangs, which its deadline ends. */
export const hungBoot: Scenario = {
  name: "limits, and a first boot that hangs",
  steps: ({ publicKey, pace }) => [
    { why: "a seed", insert: seed({ motd: "the first", publicKey, pace }) },
    { why: "the machine is switched on", power: "on" },
    {
      why: "what it builds is built within the limits that were asked of systemd",
      run: sh(watchesScopes),
      prints:
        /^RuntimeMaxUSec=2h CPUWeight=50 IOWeight=50 MemoryMax=[0-9]+ TasksMax=[0-9]+ Id=firstlight-evaluate-\S+ .*\nRuntimeMaxUSec=2h 1min CPUWeight=50 IOWeight=50 MemoryMax=[0-9]+ TasksMax=[0-9]+ Id=firstlight-build-\S+\.scope /,
    },
    {
      why: "it is committed",
      says: "boot.finished",
      with: { outcome: "committed", generation: 2 },
    },
    {
      why: "status says whether the kernel keeps them",
      run: sh(
        `${isKept} && limits=kept || limits=not-kept; firstlight status --json | grep -c '"limits": "'$limits'"'`,
      ),
      prints: "1\n",
    },
    {
      why: "and a build was warned where it does not",
      run: sh(
        `warned=$(journalctl --boot --output=cat --unit=firstlight-boot | grep -c system/limit-not-applied); ${isKept} && test "$warned" = 0 || test "$warned" -ge 1`,
      ),
    },

    { why: "firstlight is to hang in the next boot", run: sh(hangs) },
    { why: "the machine starts again", power: "reboot" },
    { why: "into a first boot that hangs", shows: /\bhangs$/ },
    { why: "its deadline comes", shows: /Starting firstlight-first-boot-deadline\.service/ },
    { why: "and restarts the machine", shows: /Reached target reboot\.target/ },
    {
      why: "into the system from before, where firstlight runs",
      says: "boot.finished",
      with: {
        outcome: "rolled-back",
        message: /the first boot of generation 2 did not come as far/,
      },
    },
    { why: "it is the image's", run: ["test", "-e", "/etc/motd"], code: 1 },
    {
      why: "which is the boot default again",
      run: sh("test /nix/var/nix/profiles/system -ef /run/booted-system"),
    },
    {
      why: "status says why, and that no more is tried by itself",
      run: ["firstlight", "status"],
      code: 3,
      prints: /^rolled-back: .*the first boot of generation 2.*`firstlight apply` tries it$/m,
    },
    {
      why: "and so does history",
      run: ["firstlight", "history"],
      prints: /^ +2 .*\n +3 .*\[runs, boot default/m,
    },
    { why: "the machine is switched off", power: "off" },
  ],
};
