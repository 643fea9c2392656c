import t from "tap";
import { container } from "./container.ts";
import { openLab } from "./lab.ts";
import { skipWithoutBoot } from "./needs.ts";
import { play } from "./play.ts";
import { ec2Ipv6 } from "./scenarios/ec2-ipv6.ts";
import { failingBuild } from "./scenarios/failing-build.ts";
import { firstBoot } from "./scenarios/first-boot.ts";
import { hungBoot } from "./scenarios/hung-boot.ts";
import { lateSeed } from "./scenarios/late-seed.ts";
import { linkLocal } from "./scenarios/link-local.ts";
import { networkManager } from "./scenarios/network-manager.ts";
import { restart } from "./scenarios/restart.ts";
import { rotation } from "./scenarios/rotation.ts";
import { sideEffects } from "./scenarios/side-effects.ts";
import { signedUpdates } from "./scenarios/signed-updates.ts";
import { withoutNetworkd } from "./scenarios/without-networkd.ts";

t.setTimeout(1_500_000);
const skip = skipWithoutBoot();

for (const scenario of [
  firstBoot,
  lateSeed,
  failingBuild,
  ec2Ipv6,
  linkLocal,
  withoutNetworkd,
  networkManager,
  hungBoot,
  sideEffects,
  rotation,
  signedUpdates,
  restart("grub"),
]) {
  t.test(`in a container: ${scenario.name}`, { skip }, async (t) => {
    const lab = await openLab(t, scenario.lab);
    const machine = await container(t, lab, scenario.container);
    await play(t, scenario, { machine, lab });
  });
}
