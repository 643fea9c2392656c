import t from "tap";
import { fc } from "#core/fast-check.ts";
import { parseDryActivate } from "./dry-activate.ts";

const none = { start: [], stop: [], restart: [], reload: [] };

const cases = [
  {
    name: "of the Perl form",
    output: `stopping nothing here
would stop the following units: nscd.service, systemd-udevd.service, systemd-udevd-control.socket
would NOT stop the following changed units: display-manager.service, systemd-logind.service
would activate the configuration...
would create user ‘web’
would restart systemd
would reload the following units: dbus.service, firewall.service
would restart the following units: nix-daemon.service, polkit.service
would start the following units: nscd.service, nginx.service
`,
    units: {
      stop: ["nscd.service", "systemd-udevd-control.socket", "systemd-udevd.service"],
      reload: ["dbus.service", "firewall.service"],
      restart: ["nix-daemon.service", "polkit.service"],
      start: ["nginx.service", "nscd.service"],
    },
    warnings: [
      "would NOT stop the following changed units: display-manager.service, systemd-logind.service",
      "would restart systemd",
    ],
  },
  {
    name: "of the Rust form",
    output: `would stop swap device: /dev/disk/by-label/swap
would stop the following units: home-data.mount
would activate the configuration...
would start the following units: getty@tty2.service, home\\x2ddata.mount, container@a.service
`,
    units: {
      ...none,
      stop: ["home-data.mount"],
      start: ["container@a.service", "getty@tty2.service", "home\\x2ddata.mount"],
    },
    warnings: [],
  },
  {
    name: "without a change",
    output: "would activate the configuration...\n",
    units: none,
    warnings: [],
  },
  { name: "that is empty", output: "", units: none, warnings: [] },
  {
    name: "with names that are none",
    output:
      "would start the following units: a.service, $(reboot), , a b.service,\nconstructor: x.service\n",
    units: { ...none, start: ["a.service"] },
    warnings: [],
  },
];

for (const { name, output, units, warnings } of cases) {
  t.test(`a preview ${name} is read`, async (t) => {
    t.same(parseDryActivate(output), { units, warnings });
    const windows = output.replaceAll("\n", "\r\n");
    t.same(parseDryActivate(windows), { units, warnings }, "with carriage returns too");
  });
}

t.test("no output makes it throw or grow without bounds", async () => {
  const line = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.constantFrom("stop", "start", "restart", "reload", "NOT stop"), fc.string())
      .map(([verb, rest]) => `would ${verb} the following units: ${rest}`),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const { units, warnings } = parseDryActivate(lines.join("\n"));
      return (
        warnings.length <= 50 &&
        Object.values(units)
          .flat()
          .every((unit) => /^\S+$/.test(unit))
      );
    }),
  );
});
