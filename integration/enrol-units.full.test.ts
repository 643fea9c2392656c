import t from "tap";
import { plainBase, tryRender } from "#provisioner/render/try-render.ts";
import { nixMachine, skipWithoutNix } from "./nix-machine.ts";
import { writeRendered } from "./render-check.ts";
import { checkExposure } from "./sides/exposure.ts";

t.setTimeout(180_000);
const skip = skipWithoutNix();
const enroll = { url: "https://enroll.example.org", caFile: "/etc/firstlight/ca.pem" };
const broker = { host: "mqtt.example.org", password: { secretRef: "mqtt" } };

t.test(
  "the units of enrolment are there where the settings name a server, and nowhere else",
  { skip },
  async (t) => {
    const machine = await nixMachine(t);
    const build = async (name: string, settings: object) => {
      const base = { ...plainBase, settings: settings as typeof plainBase.settings };
      const { sources } = tryRender({ report: { mqtt: broker } }, { base });
      const directory = `${t.testdir({ plain: {}, enrols: {} })}/${name}`;
      return `${await machine.build(`import ${writeRendered(directory, sources)}`)}/etc/systemd/system`;
    };
    const read = async (file: string) => {
      const { code, stdout } = await machine.run(["cat", file]);
      return code === 0 ? stdout : undefined;
    };
    const plain = await build("plain", {});
    t.equal(await read(`${plain}/firstlight-enroll.service`), undefined);
    t.notMatch(await read(`${plain}/firstlight-agent.service`), /identity\.pem/);

    const system = await build("enrols", { fleet: { enroll } });
    const unit = (await read(`${system}/firstlight-enroll.service`)) ?? "";
    t.match(unit, /^ExecStart=.*\/bin\/firstlight enroll --sandboxed$/m);
    t.match(unit, /^PrivateNetwork=(?:yes|true)$/m, "the key is not where the network is");
    t.match(unit, /^StandardError=journal\+console$/m, "the code stands on the console");
    t.match(unit, /^After=.*multi-user\.target/m, "no boot waits for a person");
    await checkExposure(t, { name: "firstlight-enroll", most: 15, text: unit });
    const agent = (await read(`${system}/firstlight-agent.service`)) ?? "";
    t.match(
      agent,
      /^LoadCredential=firstlight-identity\.pem:\/run\/firstlight\/enroll\/identity\.pem$/m,
    );
    t.match(agent, /^SetCredential=firstlight-identity\.pem:not enrolled yet$/m);
    t.match(agent, /^LoadCredential(?:Encrypted)?=mqtt:/m, "beside what the documents hand it");
    await checkExposure(t, { name: "firstlight-agent", most: 20, text: agent });
    t.match(
      await read(`${system}/firstlight-identity.path`),
      /^PathChanged=\/run\/firstlight\/enroll\/identity\.pem$/m,
    );
    t.match(
      await read(`${system}/firstlight-identity.service`),
      /try-restart firstlight-agent\.service$/m,
    );
    t.match(await read(`${system}/firstlight-enroll.timer`), /^RandomizedDelaySec=6h$/m);
  },
);
