/** Recording from the microphone. */

import { onScopeDispose, ref, type Ref } from "vue";

export interface Recording {
  readonly sound: Blob;
  readonly durationMs: number;
}

export interface Recorder {
  readonly isOn: Ref<boolean>;
  readonly seconds: Ref<number>;
  /** @throws DOMException the microphone is not to be had. */
  readonly start: () => Promise<void>;
  /** What was recorded; undefined: too short to be meant. */
  readonly finish: () => Promise<Recording | undefined>;
  readonly drop: () => void;
}

/** The first that the browser can record is taken. */
const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"] as const;
const MIN_MS = 500;
/** Then it ends by itself. */
const MAX_MS = 5 * 60_000;

/** Only pages that came over TLS, or from this machine, get the microphone. */
export function canRecord(): boolean {
  return globalThis.isSecureContext && "mediaDevices" in navigator && "MediaRecorder" in globalThis;
}

export function useRecorder(): Recorder {
  const isOn = ref(false);
  const seconds = ref(0);
  let recorder: MediaRecorder | undefined;
  let pieces: Blob[] = [];
  let sinceMs = 0;
  let untilMs = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  let isGone = false;

  async function start(): Promise<void> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    if (isGone) return stream.getTracks().forEach((track) => track.stop());
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const making = new MediaRecorder(stream, mimeType ? { mimeType } : {});
    const taken: Blob[] = [];
    [recorder, pieces] = [making, taken];
    making.ondataavailable = ({ data }) => taken.push(data);
    making.start(1_000);
    sinceMs = performance.now();
    untilMs = 0;
    seconds.value = 0;
    isOn.value = true;
    timer = setInterval(() => {
      seconds.value = Math.floor((performance.now() - sinceMs) / 1_000);
      if (performance.now() - sinceMs >= MAX_MS) pause();
    }, 250);
  }

  /** Stop listening; what was said stays. */
  function pause(): void {
    clearInterval(timer);
    untilMs ||= performance.now();
    if (recorder?.state === "recording") recorder.stop();
    // Only then does the browser's sign of the microphone go out.
    recorder?.stream.getTracks().forEach((track) => track.stop());
  }

  async function finish(): Promise<Recording | undefined> {
    const made = recorder;
    if (made === undefined) return undefined;
    const isStopped = made.state === "inactive";
    const stopped = new Promise((resolve) => made.addEventListener("stop", resolve, { once: true }));
    pause();
    if (!isStopped) await stopped;
    const durationMs = untilMs - sinceMs;
    const [type = ""] = made.mimeType.split(";");
    const sound = new Blob(pieces, { type: type || "audio/webm" });
    drop();
    return durationMs < MIN_MS ? undefined : { sound, durationMs };
  }

  function drop(): void {
    pause();
    recorder = undefined;
    pieces = [];
    isOn.value = false;
  }

  onScopeDispose(() => {
    isGone = true;
    drop();
  });
  return { isOn, seconds, start, finish, drop };
}
