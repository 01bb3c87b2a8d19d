/** The one error of the core: a stable code of docs/protocol.md, section 12, and its facts. */

/** Codes are never renumbered or used again; their thousands are the {@link ErrorClass}. */
export const ErrorCode = {
  INVALID_REQUEST: 1000,
  TEXT_TOO_LONG: 1001,
  BAD_CONTENT: 1002,
  BAD_NICKNAME: 1003,
  WEAK_PASSWORD: 1004,
  BAD_CONVERSATION: 1005,
  BAD_INVITE_CODE: 1006,
  NOT_CONFIRMED: 1007,
  PAGE_TOO_LARGE: 1008,
  UNSUPPORTED_KIND: 1009,
  OPERATION_REUSED: 1010,
  UNKNOWN_OPERATION: 1011,
  MEDIA_TOO_LARGE: 1012,
  MEDIA_TYPE_REFUSED: 1013,
  BAD_MEDIA: 1014,
  FILE_UNREADABLE: 1015,
  BAD_CREDENTIALS: 2000,
  TOKEN_INVALID: 2001,
  TOKEN_EXPIRED: 2002,
  DEVICE_REVOKED: 2003,
  ACCOUNT_DISABLED: 2004,
  NOT_LOGGED_IN: 2005,
  PASSWORD_CHANGE_REQUIRED: 2006,
  BAD_RECOVERY_CODE: 2007,
  FORBIDDEN: 3000,
  NOT_FRIENDS: 3001,
  BLOCKED: 3002,
  NOT_A_MEMBER: 3003,
  NOT_AN_ADMIN: 3004,
  NOT_THE_OWNER: 3005,
  MENTION_ALL_DENIED: 3006,
  RECALL_TOO_LATE: 3007,
  GROUP_CLOSED: 3008,
  INVITATION_NEEDED: 3009,
  OUTRANKED: 3010,
  REGISTRATION_CLOSED: 3011,
  NOT_YOUR_MESSAGE: 3012,
  HELPER_STAYS: 3013,
  NOT_FOUND: 4000,
  USER_NOT_FOUND: 4001,
  GROUP_NOT_FOUND: 4002,
  MESSAGE_NOT_FOUND: 4003,
  DEVICE_NOT_FOUND: 4004,
  REQUEST_NOT_FOUND: 4005,
  MEDIA_NOT_FOUND: 4006,
  CONFLICT: 5000,
  ALREADY_FRIENDS: 5001,
  ALREADY_A_MEMBER: 5002,
  GROUP_FULL: 5003,
  GROUP_DISMISSED: 5004,
  OWNS_GROUPS: 5005,
  OWNER_MUST_TRANSFER: 5006,
  REQUEST_EXPIRED: 5007,
  SELF_NOT_ALLOWED: 5008,
  TOO_MANY_GROUPS: 5009,
  MEDIA_QUOTA_EXCEEDED: 5010,
  UPLOAD_ELSEWHERE: 5011,
  RATE_LIMITED: 6000,
  TOO_MANY_LOG_INS: 6001,
  TOO_MANY_REGISTRATIONS: 6003,
  UNAVAILABLE: 7000,
  BUSY: 7001,
  FLIGHT_BROKEN: 7002,
  DRAINING: 7003,
  TIMED_OUT: 7004,
  INTERNAL: 7005,
  CONNECTION_LOST: 7006,
  PROTOCOL_ERROR: 8000,
  FRAME_TOO_LARGE: 8001,
  MALFORMED: 8002,
  UNKNOWN_TYPE: 8003,
  OUT_OF_ORDER: 8004,
  VERSION_UNSUPPORTED: 8005,
  LOG_IN_TIMEOUT: 8006,
  IDLE_TIMEOUT: 8007,
  BAD_REQUEST_ID: 8008,
  TOO_MANY_IN_FLIGHT: 8009,
} as const;

export type ErrorName = keyof typeof ErrorCode;

const NAMES = new Map<number, ErrorName>(
  (Object.entries(ErrorCode) as [ErrorName, number][]).map(([name, code]) => [code, name]),
);

/** What a client does about an error follows from its class, the thousands of the code. */
export const ErrorClass = {
  INVALID_REQUEST: 1,
  UNAUTHENTICATED: 2,
  FORBIDDEN: 3,
  NOT_FOUND: 4,
  CONFLICT: 5,
  RATE_LIMITED: 6,
  UNAVAILABLE: 7,
  PROTOCOL_ERROR: 8,
} as const;
export type ErrorClass = (typeof ErrorClass)[keyof typeof ErrorClass];

/** What a code that this client does not know is taken for. */
const GENERAL: Readonly<Record<ErrorClass, ErrorName>> = {
  1: "INVALID_REQUEST",
  2: "NOT_LOGGED_IN",
  3: "FORBIDDEN",
  4: "NOT_FOUND",
  5: "CONFLICT",
  6: "RATE_LIMITED",
  7: "UNAVAILABLE",
  8: "PROTOCOL_ERROR",
};

/** The text is composed from code and fields, in the person's language; `message` is for logs. */
export class ChatError extends Error {
  /** `name` of the code in the table, for i18n: `error.NOT_FRIENDS`. Codes that this client does
   * not know have the name of their class's general code. */
  readonly codeName: ErrorName;
  readonly errorClass: ErrorClass;

  /**
   * @param retryAfterMs earliest time after which the same request may succeed; 0: not known.
   * @param fields facts for the text: numbers and names.
   */
  constructor(
    readonly code: number,
    readonly fields: Readonly<Record<string, string>> = {},
    readonly retryAfterMs = 0,
  ) {
    const errorClass = classOf(code);
    const codeName = NAMES.get(code) ?? GENERAL[errorClass];
    super(codeName);
    this.name = "ChatError";
    this.codeName = codeName;
    this.errorClass = errorClass;
  }

  /** The text's key in the locales; its parameters are {@link fields}. */
  get key(): string {
    return `error.${this.codeName}`;
  }

  /** Whether the same request may succeed later. */
  get isForNow(): boolean {
    return this.errorClass === ErrorClass.RATE_LIMITED || this.errorClass === ErrorClass.UNAVAILABLE;
  }
}

/** A class of the future is taken for UNAVAILABLE: trying again does no harm. */
function classOf(code: number): ErrorClass {
  const thousands = Math.floor(code / 1000);
  return Object.values(ErrorClass).find((one) => one === thousands) ?? ErrorClass.UNAVAILABLE;
}

/** What was thrown as an error of ours; anything else is a bug of this program, and told as such. */
export function asChatError(error: unknown): ChatError {
  if (error instanceof ChatError) return error;
  console.error(error);
  return new ChatError(ErrorCode.INTERNAL);
}
