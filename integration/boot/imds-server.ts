import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";

/**
 * A metadata service as EC2's version 2: `PUT /latest/api/token` gives a token, without which every
 * other request below `/latest/` is refused, as other clouds do not (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html).
 * Started as `imds-server.ts ADDRESS FILE`; the file is JSON, texts by path, read at each request.
 */
const [address = "", file = ""] = process.argv.slice(2);
const tokens = new Set<string>();

http
  .createServer((request, response) => {
    const answer = (status: number, text: string) => response.writeHead(status).end(text);
    const url = request.url ?? "";
    if (request.method === "PUT" && url === "/latest/api/token") {
      const seconds = Number(request.headers["x-aws-ec2-metadata-token-ttl-seconds"]);
      if (!(seconds >= 1 && seconds <= 21_600)) return answer(400, "");
      const token = randomUUID();
      tokens.add(token);
      return answer(200, token);
    }
    if (request.method !== "GET") return answer(405, "");
    const isEc2 = url.startsWith("/latest/");
    if (isEc2 && !tokens.has(String(request.headers["x-aws-ec2-metadata-token"])))
      return answer(401, "");
    const text = (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>)[url];
    return text === undefined ? answer(404, "") : answer(200, text);
  })
  .listen(80, address, () => process.stdout.write("listening\n"));
