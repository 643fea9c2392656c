import t from "tap";
import { fakeIo } from "#core/fake-io.ts";
import { findInhibitors, type InhibitorName } from "./inhibitors.ts";

const all: readonly InhibitorName[] = ["login", "battery", "metered"];
const routes = (name: string) =>
  `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n${name}\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`;

/** What keeps an update on a machine with these files. */
async function found(
  t: { testdir(): string },
  files: Readonly<Record<string, string>>,
  { wanted = all, metered = "u 4\n" } = {},
) {
  const io = fakeIo(t.testdir(), { busctl: () => ({ stdout: metered }) });
  for (const [file, text] of Object.entries(files)) io.files.write(file, text);
  return (await findInhibitors(io, wanted)).map(({ name, why }) => `${name}: ${why}`);
}

const session = (more: string) => ({ "/run/systemd/sessions/2": `# by logind\nUID=1000\n${more}` });
const battery = (more: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(more).map(([file, text]) => [`/sys/class/power_supply/${file}`, `${text}\n`]),
  );

t.test("a machine with nothing of it is kept by nothing", async (t) => {
  t.same(await found(t, {}), []);
});

t.test("a person who is logged in", async (t) => {
  const ada = "USER=ada\nSTATE=active\nCLASS=user\n";
  t.same(await found(t, session(`${ada}TTY=tty1\n`)), ["login: ada is logged in (tty1)"]);
  t.same(await found(t, session(`${ada}REMOTE_HOST=192.0.2.7\nTTY=pts/0\n`)), [
    "login: ada is logged in (192.0.2.7)",
  ]);
  t.same(await found(t, session("STATE=closing\nCLASS=user\n")), []);
  t.same(await found(t, session("STATE=active\nCLASS=greeter\n")), []);
  t.same(await found(t, session("STATE=active\nCLASS=manager\n")), []);
  t.same(await found(t, session(ada), { wanted: ["battery"] }), [], "where its owner says so");
});

t.test("a machine on battery, and not its mouse", async (t) => {
  const own = { "BAT0/type": "Battery", "BAT0/status": "Discharging", "BAT0/capacity": "41" };
  t.same(await found(t, battery(own)), ["battery: on battery (BAT0, 41 %)"]);
  t.same(await found(t, battery({ ...own, "AC/type": "Mains", "AC/online": "1" })), []);
  t.same(await found(t, battery({ ...own, "AC/type": "Mains", "AC/online": "0" })), [
    "battery: on battery (BAT0, 41 %)",
  ]);
  t.same(await found(t, battery({ ...own, "BAT0/status": "Full" })), []);
  t.same(await found(t, battery({ ...own, "BAT0/scope": "Device" })), []);
});

t.test("a network that costs by volume", async (t) => {
  const nm = { "/run/NetworkManager/state": "" };
  const says = "metered: the network is metered, as NetworkManager says";
  t.same(await found(t, nm, { metered: "u 1\n" }), [says]);
  t.same(await found(t, nm, { metered: "u 3\n" }), [says]);
  t.same(await found(t, nm, { metered: "u 2\n" }), []);
  const wwan = { "/sys/class/net/wwan0/uevent": "DEVTYPE=wwan\nINTERFACE=wwan0\n" };
  const mobile = "metered: the way out is the mobile network wwan0";
  t.same(await found(t, { ...wwan, "/proc/net/route": routes("wwan0") }), [mobile]);
  t.same(await found(t, { ...wwan, "/proc/net/route": routes("eth0") }), []);
  const v6 = `${"0".repeat(32)} 00 ${"0".repeat(32)} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003    wwan0\n`;
  t.same(await found(t, { ...wwan, "/proc/net/ipv6_route": v6 }), [mobile]);
});
