import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { fromJson, toJson, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { readVectors } from "../../../tests/vectors";
import { fromHex, toHex } from "../ids";
import { ChatError } from "../errors";
import * as client from "./_pb/tinyqq/_pb/client_pb";
import * as content from "./_pb/tinyqq/_pb/content_pb";
import { Request, decodeBody, decodePush } from "./packets";

interface Case {
  readonly name: string;
  readonly type: number;
  readonly role: "request" | "reply" | "push" | "error";
  readonly message: string;
  readonly body: string;
  readonly times?: number;
  readonly json: JsonValue;
  readonly error: string | null;
}

const { cases: packets } = readVectors<{ readonly cases: readonly Case[] }>("packets.json");
const { cases: contents } = readVectors<{ readonly cases: readonly Case[] }>("content.json");
const schemas = new Map<string, DescMessage>(
  [...client.file_tinyqq__pb_client.messages, ...content.file_tinyqq__pb_content.messages].map(
    (schema) => [schema.name, schema],
  ),
);

function schemaOf(one: Case): DescMessage {
  const schema = schemas.get(one.message);
  if (schema === undefined) throw new Error(`no message ${one.message}`);
  return schema;
}

/** Bodies that are no message of their type say so by their error. Enum values of the future are
 * kept here and read as the unspecified one in records.ts. */
const readable = [...packets, ...contents].filter(
  (one) => one.json !== null && !one.name.includes("unknown value of an enum"),
);

describe("bodies", () => {
  it.each(readable)("are read as the vectors say: $name", (one) => {
    const message = decodeBody(schemaOf(one), fromHex(one.body.repeat(one.times ?? 1)));
    expect(toJson(schemaOf(one), message, { useProtoFieldName: true })).toEqual(one.json);
  });

  it.each(readable.filter((one) => !one.name.startsWith("tolerated:") && one.times === undefined))(
    "are written as the vectors say: $name",
    (one) => {
      const schema = schemaOf(one);
      const message = fromJson(schema, one.json);
      expect(toHex(toBinary(schema, message))).toBe(one.body);
    },
  );

  it("that are no message are told as MALFORMED", () => {
    expect(() => decodeBody(client.WelcomeSchema, fromHex("0a"))).toThrow(ChatError);
  });
});

describe("packet types", () => {
  it("are those of the vectors", () => {
    const requests = new Map(Object.values(Request).map((kind) => [kind.type as number, kind]));
    for (const one of packets) {
      const kind = requests.get(one.type & 0x7fff);
      if (one.role === "request") expect(kind?.request.name, one.name).toBe(one.message);
      if (one.role === "reply") expect(kind?.reply.name, one.name).toBe(one.message);
      if (one.role === "push" && one.json !== null) {
        const push = decodePush(one.type, fromHex(one.body));
        expect(push?.$typeName, one.name).toBe(`tinyqq.v1.${one.message}`);
      }
    }
  });
});
