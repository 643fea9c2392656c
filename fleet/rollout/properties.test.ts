import t from "tap";
import { checkProperties } from "./check-properties.ts";

checkProperties(t, 8);
