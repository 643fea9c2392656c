import t from "tap";
import { checkCases } from "./check-cases.ts";

const spec = {
  options: {
    "boot.kernelParams": [
      "console=ttyAMA0,115200",
      "console=ttyS0,115200",
      "console=ttyS1,115200",
      "console=tty0",
    ],
  },
};

checkCases(t, [
  { name: "the serial port as a console", yaml: "rpi: {interfaces: {serial: true}}\n", spec },
  {
    name: "or by its parts",
    yaml: "rpi: {interfaces: {serial: {console: true, hardware: false}}}\n",
    spec,
  },
  { name: "without a console it is there", yaml: "rpi: {interfaces: {serial: false}}\n", spec: {} },
  { name: "nothing is said of it", yaml: "rpi: {interfaces: {serial: {}}}\n", spec: {} },
  {
    name: "wrong types",
    yaml: "rpi: {interfaces: {serial: {console: 7, hardware: [a]}}}\n",
    spec: {},
    says: [
      "error user-data/wrong-type 2:38 rpi.interfaces.serial.console",
      "error user-data/wrong-type 2:51 rpi.interfaces.serial.hardware",
    ],
  },
]);
